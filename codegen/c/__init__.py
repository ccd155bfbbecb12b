"""The plan in C99: names, data, descriptors, calls, and the templates that lay them out."""
