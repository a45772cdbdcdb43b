//! The command line: arguments, console progress, results on stdout.
