//! The three kinds of offset, as types that do not mix.
//!
//! All three point *after* a record: the next offset to be appended, the first that readers may not see yet, the
//! first that a power loss may take. `appended ≥ published ≥ durable` holds for a partition at all times.

use std::fmt;

macro_rules! offset {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub i64);

        impl $name {
            /// The plain number, as it stands in record batches.
            pub fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

offset! {
    /// The offset that the next record gets. Known to the partition's owner.
    Appended
}
offset! {
    /// Records below are visible to readers and survive the death of the process.
    Published
}
offset! {
    /// Records below survive the loss of power.
    Durable
}
