//! How quick the operations are. Placeholder.
