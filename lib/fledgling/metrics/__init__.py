"""Numbers and tensors in, numbers out; never a model."""
