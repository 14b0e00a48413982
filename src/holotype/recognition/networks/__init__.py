"""What needs PyTorch: networks by name, training, explanation, detection, generation. ``holotype[torch]``."""
