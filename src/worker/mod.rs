//! Background work for the window: one lane for jobs, a second for what the user is looking at.

pub mod message;
