//! A part of a text that stands behind a name: regular expressions like `(&|^)channel_id=([^&]*)`, by which people take addresses apart.
//!
//! The general way goes over a text three times: to find where a match ends, where it began, and what its groups are. Of this form all
//! three follow from where the name stands, which is looked for behind each of the bytes that are before it. What it gives is what the expression gives, which a property
//! test holds it to.

use crate::expr::kernels::places::Places;
use std::ops::Range;

/// `(b|^)name([^e]*)`: a name at the start of the text or behind a byte, and what follows it up to another byte.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    before: u8,
    name: Box<[u8]>,
    end: u8,
}

/// A character that means itself, in a class as well.
fn is_plain(c: u8) -> bool {
    c.is_ascii_alphanumeric() || b"_=&;:,/ ~%@<>'\"!".contains(&c)
}

impl Parameter {
    /// What the pattern says, if it is of this form.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        let (head, rest) = pattern.strip_prefix('(')?.split_once(')')?;
        let before = match head.as_bytes() {
            [c, b'|', b'^'] | [b'^', b'|', c] if is_plain(*c) => *c,
            _ => return None,
        };
        let (name, rest) = rest.split_once("([^")?;
        let [end, b']', b'*', b')'] = rest.as_bytes() else { return None };
        // A name that begins with that byte might begin at the start of the text in two ways.
        let fits = name.bytes().next().is_some_and(|first| first != before);
        let fits = fits && name.bytes().all(is_plain) && is_plain(*end);
        fits.then(|| Self { before, name: name.as_bytes().into(), end: *end })
    }

    /// Where a group of the first match stands: 0 all of it, 1 what is before the name, 2 what follows it.
    #[inline]
    pub(super) fn group(&self, text: &[u8], group: i32) -> Option<Range<usize>> {
        let mut places = Places::new(text, self.before);
        let name = if text.starts_with(&self.name) {
            0
        } else {
            places.find(|&at| text[at + 1..].starts_with(&self.name))? + 1
        };
        let start = name.saturating_sub(1);
        let value = name + self.name.len();
        let mut end = || {
            let end = if self.end == self.before {
                places.find(|&at| at >= value)
            } else {
                memchr::memchr(self.end, &text[value..]).map(|n| value + n)
            };
            end.unwrap_or(text.len())
        };
        match group {
            0 => Some(start..end()),
            1 => Some(start..name),
            2 => Some(value..end()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_that_form_is_taken() {
        for pattern in ["(&|^)id=([^&]*)", "(^|;)a([^,]*)"] {
            assert!(Parameter::of(pattern).is_some(), "{pattern}");
        }
        for pattern in [
            "(&|^)id=([^&]+)",
            "(&|^)i.=([^&]*)",
            "(.|^)id([^&]*)",
            "(&|^)([^&]*)",
            "(=|^)=([^=]*)",
            "id=([^&]*)",
            "(&|^)id([^^]*)",
            "(&|^)id([^&]*)x",
        ] {
            assert!(Parameter::of(pattern).is_none(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_the_expression_finds(text in "[&;ab=\né]{0,20}", which in 0usize..4) {
            let pattern = ["(&|^)ab=([^&]*)", "(^|;)a([^;]*)", "(a|^)ba([^b]*)", "(=|^)b=([^=]*)"][which];
            let wanted = regex::Regex::new(pattern).unwrap();
            let found = wanted.captures(&text);
            let parameter = Parameter::of(pattern).unwrap();
            for group in 0..4 {
                let wanted = found.as_ref().and_then(|c| c.get(group)).map(|m| m.range());
                prop_assert_eq!(parameter.group(text.as_bytes(), group as i32), wanted, "group {}", group);
            }
        }
    }
}
