//! The MVTec AD layout.
