//! Tables and views by name.
