//! ResNet-18, ResNet-50 and Wide-ResNet-50-2.
