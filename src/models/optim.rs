//! The optimisers the papers use; their state can be saved.
