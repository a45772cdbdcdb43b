//! The workflows: train, evaluate, predict. Blocking; knows no front end.
