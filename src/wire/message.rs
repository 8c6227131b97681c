//! How a control message is described: one macro turns a list of fields with their versions into a struct that reads
//! and writes itself.
//!
//! Ours and not the `kafka-protocol` crate's, because that one reserves memory for as many elements as a request
//! claims to have (decision record 0030): 2³¹−1 ends the process. Here nothing is reserved from a stated count, each
//! element is charged to a budget, and unknown tagged fields are skipped without being kept.

/// Declares messages. See [`super::messages`] for the notation.
macro_rules! messages {
    ($(
        $(#[$about:meta])*
        struct $name:ident {
            $( $(#[$doc:meta])* $field:ident : $kind:ty = $low:literal $(to $high:literal)? $(else $default:expr)?; )*
        }
    )*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct $name {
            $( $(#[$doc])* pub(crate) $field: $kind, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: messages!(@default $($default)?), )* }
            }
        }

        impl $crate::wire::codec::Wire for $name {
            #[allow(unused_comparisons, clippy::absurd_extreme_comparisons)]
            fn read(
                r: &mut $crate::wire::codec::Reader,
            ) -> Result<Self, $crate::wire::codec::Malformed> {
                let value = Self {
                    $( $field: if r.version >= $low $(&& r.version <= $high)? {
                        <$kind as $crate::wire::codec::Wire>::read(r)?
                    } else {
                        messages!(@default $($default)?)
                    }, )*
                };
                r.tags()?;
                Ok(value)
            }

            #[allow(unused_comparisons, clippy::absurd_extreme_comparisons)]
            fn write(&self, w: &mut $crate::wire::codec::Writer) {
                $( if w.version >= $low $(&& w.version <= $high)? {
                    $crate::wire::codec::Wire::write(&self.$field, w);
                } )*
                w.tags();
            }
        }

        #[cfg(test)]
        impl $crate::wire::codec::Sample for $name {
            fn sample(random: &mut dyn FnMut() -> u64) -> Self {
                Self { $( $field: <$kind as $crate::wire::codec::Sample>::sample(random), )* }
            }
        }
    )*};
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
}

pub(crate) use messages;
