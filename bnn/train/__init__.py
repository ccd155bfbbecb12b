"""Recipes, the training loop, augmentation and evaluation. Needs the extra `train`."""
