"""Binary neural networks for wearable biosignals: from a trained model to proven firmware."""

__version__ = "0.1.0"
