"""Learn the features of natural images, every gradient derived by backpropagation."""
