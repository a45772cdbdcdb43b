//! The plain folder layout: the user names folders of good and of bad pictures.
