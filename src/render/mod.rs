//! Numbers to pixels, for the window and for export.
