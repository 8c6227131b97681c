//! What looks at one bid at a time.

use super::{ByHand, Out, Rows, Value};
use memchr::memmem::Finder;
use std::hint::black_box;

/// Bids passed through.
pub(super) struct Q0;

impl<'a> ByHand<'a> for Q0 {
    fn push(&mut self, r: &Rows<'a>, _out: &mut Out<'a>) {
        black_box(r);
    }
    fn rows(&self, r: &Rows<'a>, _out: &Out<'a>) -> usize {
        r.rows
    }
    fn values(&self, r: &Rows<'a>, _out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        to.extend([r.auction[k], r.bidder[k], r.price[k], r.time[k]].map(Value::Int));
        to.push(Value::Text(r.extra.get(k)));
    }
}

/// Prices in euros.
pub(super) struct Q1;

impl<'a> ByHand<'a> for Q1 {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        out.euros.extend(r.price.iter().map(|&p| 908 * i128::from(p)));
    }
    fn rows(&self, r: &Rows<'a>, _out: &Out<'a>) -> usize {
        r.rows
    }
    fn values(&self, r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        to.extend([Value::Int(r.auction[k]), Value::Int(r.bidder[k]), Value::Decimal(out.euros[k])]);
        to.extend([Value::Int(r.time[k]), Value::Text(r.extra.get(k))]);
    }
}

/// Bids on every 123rd auction.
pub(super) struct Q2;

impl<'a> ByHand<'a> for Q2 {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        let [auctions, prices, ..] = &mut out.ints;
        for (&auction, &price) in r.auction.iter().zip(r.price) {
            if auction % 123 == 0 {
                auctions.push(auction);
                prices.push(price);
            }
        }
    }
    fn rows(&self, _r: &Rows<'a>, out: &Out<'a>) -> usize {
        out.ints[0].len()
    }
    fn values(&self, _r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        to.extend([Value::Int(out.ints[0][k]), Value::Int(out.ints[1][k])]);
    }
}

/// Bids of a range of prices, the part of the day, and how many c's are in a text.
pub(super) struct Q14;

impl<'a> ByHand<'a> for Q14 {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        for (k, &price) in r.price.iter().enumerate() {
            let euros = 908 * i128::from(price);
            if euros <= 1_000_000_000 || euros >= 50_000_000_000 {
                continue;
            }
            out.rows.push(k as u32);
            out.euros.push(euros);
            let part: &[u8] = match r.time[k].div_euclid(3_600_000_000).rem_euclid(24) {
                8..=18 => b"dayTime",
                0..=6 | 20.. => b"nightTime",
                _ => b"otherTime",
            };
            out.texts[0].push(Some(part));
            out.ints[0].push(r.extra.get(k).iter().filter(|b| **b == b'c').count() as i64);
        }
    }
    fn rows(&self, _r: &Rows<'a>, out: &Out<'a>) -> usize {
        out.rows.len()
    }
    fn values(&self, r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        let row = out.rows[k] as usize;
        to.extend([Value::Int(r.auction[row]), Value::Int(r.bidder[row]), Value::Decimal(out.euros[k])]);
        to.extend([text(out.texts[0][k]), Value::Int(r.time[row])]);
        to.extend([Value::Text(r.extra.get(row)), Value::Int(out.ints[0][k])]);
    }
}

/// The number of each bid's channel, from its name or its address.
pub(super) struct Q21 {
    id: Finder<'static>,
}

impl Default for Q21 {
    fn default() -> Self {
        Self { id: Finder::new(b"channel_id=") }
    }
}

const KNOWN: [(&[u8], &[u8]); 4] =
    [(b"apple", b"0"), (b"google", b"1"), (b"facebook", b"2"), (b"baidu", b"3")];

impl Q21 {
    /// What stands behind `channel_id=` at the start of an address or behind an ampersand.
    fn of_address<'a>(&self, url: &'a [u8]) -> Option<&'a [u8]> {
        let at = self.id.find_iter(url).find(|&at| at == 0 || url[at - 1] == b'&')?;
        let rest = &url[at + b"channel_id=".len()..];
        Some(&rest[..memchr::memchr(b'&', rest).unwrap_or(rest.len())])
    }
}

impl<'a> ByHand<'a> for Q21 {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        for k in 0..r.rows {
            let channel = r.channel.get(k);
            let known = KNOWN.iter().find(|(name, _)| channel.eq_ignore_ascii_case(name));
            if let Some(id) = known.map(|k| k.1).or_else(|| self.of_address(r.url.get(k))) {
                out.rows.push(k as u32);
                out.texts[0].push(Some(id));
            }
        }
    }
    fn rows(&self, _r: &Rows<'a>, out: &Out<'a>) -> usize {
        out.rows.len()
    }
    fn values(&self, r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        let row = out.rows[k] as usize;
        to.extend([r.auction[row], r.bidder[row], r.price[row]].map(Value::Int));
        to.extend([Value::Text(r.channel.get(row)), text(out.texts[0][k])]);
    }
}

/// The three folders of each bid's address.
pub(super) struct Q22;

impl<'a> ByHand<'a> for Q22 {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        for k in 0..r.rows {
            let mut parts = r.url.get(k).split(|b| *b == b'/').skip(3);
            out.texts.iter_mut().for_each(|to| to.push(parts.next()));
        }
    }
    fn rows(&self, r: &Rows<'a>, _out: &Out<'a>) -> usize {
        r.rows
    }
    fn values(&self, r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        to.extend([r.auction[k], r.bidder[k], r.price[k]].map(Value::Int));
        to.push(Value::Text(r.channel.get(k)));
        to.extend(out.texts.iter().map(|t| text(t[k])));
    }
}

fn text(t: Option<&[u8]>) -> Value<'_> {
    t.map_or(Value::Null, Value::Text)
}
