//! Running statistics: each bid changes the row of its group, and both rows are given, before and after.

use super::{ByHand, Out, Rows, Value};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

const DAY_US: i64 = 86_400_000_000;
const MINUTE_US: i64 = 60_000_000;

/// Which of the three ranks a price has.
fn rank(price: i64) -> usize {
    match price {
        ..10_000 => 1,
        10_000..1_000_000 => 2,
        _ => 3,
    }
}

/// Texts of days and minutes. There are few: they live as long as the program.
#[derive(Default)]
struct Names(HashMap<i64, &'static [u8]>);

impl Names {
    fn get(&mut self, number: i64, text: impl FnOnce() -> String) -> &'static [u8] {
        self.0.entry(number).or_insert_with(|| Box::leak(text().into_bytes().into_boxed_slice()))
    }
}

/// The text of a day since the epoch.
fn day_text(day: i64) -> String {
    jiff::Timestamp::from_microsecond(day * DAY_US).expect("a day").strftime("%F").to_string()
}

/// Bids, bidders and auctions, of all prices and of each of three ranks.
#[derive(Default)]
struct Group {
    /// The largest minute of a day.
    minute: Option<i64>,
    counts: [i64; 12],
    /// Which ranks have a value; bit 0: any.
    bidders: HashMap<i64, u8>,
    auctions: HashMap<i64, u8>,
}

/// q15 and q16.
pub(super) struct Ranks<'a> {
    by_channel: bool,
    /// The last day and its number, so that it is looked up once for neighbours.
    day: Option<(i64, &'static [u8])>,
    days: Names,
    minutes: Names,
    numbers: HashMap<(i64, &'a [u8]), usize>,
    groups: Vec<Group>,
}

impl Ranks<'_> {
    pub(super) fn by_day() -> Self {
        Ranks {
            by_channel: false,
            day: None,
            days: Names::default(),
            minutes: Names::default(),
            numbers: HashMap::new(),
            groups: vec![],
        }
    }

    pub(super) fn by_channel() -> Self {
        Ranks { by_channel: true, ..Self::by_day() }
    }

    fn minute(&mut self, minute: i64) -> &'static [u8] {
        self.minutes.get(minute, || format!("{:02}:{:02}", minute / 60, minute % 60))
    }
}

impl<'a> ByHand<'a> for Ranks<'a> {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        for k in 0..r.rows {
            let (time, channel) = (r.time[k], if self.by_channel { r.channel.get(k) } else { &[] });
            let number = time.div_euclid(DAY_US);
            let day = match self.day {
                Some((n, day)) if n == number => day,
                _ => self.days.get(number, || day_text(number)),
            };
            self.day = Some((number, day));
            let fresh = self.groups.len();
            let at = *self.numbers.entry((number, channel)).or_insert(fresh);
            let is_new = at == fresh;
            if is_new {
                self.groups.push(Group::default());
            }
            let group = &mut self.groups[at];
            let (before, old_minute) = (group.counts, group.minute);
            let rank = rank(r.price[k]);
            group.counts[0] += 1;
            group.counts[rank] += 1;
            let wanted = 1 | 1 << rank;
            for (values, value, base) in
                [(&mut group.bidders, r.bidder[k], 4), (&mut group.auctions, r.auction[k], 8)]
            {
                let seen = values.entry(value).or_insert(0);
                let joins = wanted & !*seen;
                *seen |= wanted;
                group.counts[base] += i64::from(joins & 1);
                group.counts[base + rank] += i64::from(joins >> rank & 1);
            }
            let after = group.counts;
            let minute = time.rem_euclid(DAY_US) / MINUTE_US;
            group.minute = group.minute.max(Some(minute));
            let now_minute = group.minute;
            for (counts, minute, adds) in [(before, old_minute, false), (after, now_minute, true)] {
                if is_new && !adds {
                    continue;
                }
                out.ints.iter_mut().zip(counts).for_each(|(to, n)| to.push(n));
                out.texts[0].push(Some(day));
                out.adds.push(adds);
                if self.by_channel {
                    out.texts[1].push(Some(channel));
                    let minute = minute.map(|m| self.minute(m));
                    out.texts[2].push(minute);
                }
            }
        }
    }
    fn rows(&self, _r: &Rows<'a>, out: &Out<'a>) -> usize {
        out.adds.len()
    }
    fn values(&self, _r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        let text = |n: usize| out.texts[n][k].map_or(Value::Null, Value::Text);
        if self.by_channel {
            to.extend([text(1), text(0), text(2)]);
        } else {
            to.push(text(0));
        }
        to.extend((0..12).map(|c| Value::Int(out.ints[c][k])));
    }
}

/// Bids of each auction and day by rank, and the smallest, largest, mean and sum of their prices.
#[derive(Default)]
pub(super) struct Prices {
    day: Option<(i64, &'static [u8])>,
    days: Names,
    /// Bids, of three ranks, smallest, largest, sum.
    groups: HashMap<(i64, i64), [i64; 7]>,
}

impl<'a> ByHand<'a> for Prices {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        for k in 0..r.rows {
            let (auction, price) = (r.auction[k], r.price[k]);
            let number = r.time[k].div_euclid(DAY_US);
            let day = match self.day {
                Some((n, day)) if n == number => day,
                _ => self.days.get(number, || day_text(number)),
            };
            self.day = Some((number, day));
            let (group, is_new) = match self.groups.entry((auction, number)) {
                Entry::Occupied(e) => (e.into_mut(), false),
                Entry::Vacant(e) => (e.insert([0, 0, 0, 0, i64::MAX, i64::MIN, 0]), true),
            };
            let before = *group;
            group[0] += 1;
            group[rank(price)] += 1;
            group[4] = group[4].min(price);
            group[5] = group[5].max(price);
            group[6] += price;
            for (g, adds) in [(before, false), (*group, true)] {
                if is_new && !adds {
                    continue;
                }
                let values = [auction, g[0], g[1], g[2], g[3], g[4], g[5], g[6] / g[0], g[6]];
                out.ints.iter_mut().zip(values).for_each(|(to, n)| to.push(n));
                out.texts[0].push(Some(day));
                out.adds.push(adds);
            }
        }
    }
    fn rows(&self, _r: &Rows<'a>, out: &Out<'a>) -> usize {
        out.adds.len()
    }
    fn values(&self, _r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        to.push(Value::Int(out.ints[0][k]));
        to.push(out.texts[0][k].map_or(Value::Null, Value::Text));
        to.extend((1..9).map(|c| Value::Int(out.ints[c][k])));
    }
}
