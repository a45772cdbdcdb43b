//! Connected regions of a ground-truth mask (8-connected).
