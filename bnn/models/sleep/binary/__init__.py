"""The binarised sleep network: convolutions of bits, and int8 with powers of two as units between them."""
