//! EfficientNet-Lite0.
