//! Makes `examples/payments.csv`: three hours of card payments, the same bytes at every run.
//!
//! `cargo run --example generate_payments > examples/payments.csv`. A payment is `id, card, merchant, category, country,
//! amount, ts`. People shop near home at a rate that follows the clock. A few cards are stolen: a burst of payments within a
//! minute or two, small ones first, then large ones, often from several countries. Payments arrive mildly out of order: most
//! within two seconds, one in 400 a minute late, which the watermark of `payments.sql` (five seconds) has then passed.

use std::fmt::Write as _;
use std::io::Write as _;

const CARDS: u64 = 900;
const PAYMENTS: u64 = 4_800;
const STOLEN: u64 = 14;
/// 2026-03-06 17:00:00, ms since midnight of that day.
const START_MS: u64 = 17 * 3_600_000;
const SPAN_MS: u64 = 3 * 3_600_000;

/// SplitMix64: small, good enough for made-up shopping, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `low..high`.
    fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.range(0, from.len() as u64) as usize]
    }
}

/// Merchant, category, least and most cents of a usual payment, and how often it is visited.
const MERCHANTS: &[(&str, &str, u64, u64, u64)] = &[
    ("Fresh Corner", "groceries", 300, 9_000, 22),
    ("Mercado Azul", "groceries", 500, 14_000, 16),
    ("City Metro", "transport", 180, 1_200, 18),
    ("Nightline Taxi", "transport", 700, 4_800, 8),
    ("Ring Road Fuel", "fuel", 2_500, 9_800, 7),
    ("Trattoria Nove", "restaurant", 1_400, 12_000, 9),
    ("Noodle House, Dock 4", "restaurant", 900, 5_600, 8),
    ("Kaffeewerk", "restaurant", 280, 1_900, 14),
    ("Pageturner Books", "retail", 600, 7_500, 5),
    ("Northwear", "retail", 1_900, 24_000, 6),
    ("Streambox", "online", 799, 1_599, 5),
    ("Parcelo", "online", 900, 32_000, 9),
    ("Apotheke am Tor", "pharmacy", 400, 6_500, 5),
    ("Volt & Vision", "electronics", 2_900, 89_000, 3),
    ("Hotel Meridian", "travel", 8_900, 62_000, 2),
    ("SkyHop Air", "travel", 4_900, 78_000, 2),
];

/// What a thief buys.
const TARGETS: &[(&str, &str)] = &[
    ("Volt & Vision", "electronics"),
    ("Parcelo", "online"),
    ("GiftCardHub", "online"),
    ("SkyHop Air", "travel"),
    ("Luxe Watches", "retail"),
];

const COUNTRIES: &[&str] = &["DE", "FR", "NL", "ES", "IT", "PL", "AT", "BE"];
const FAR: &[&str] = &["BR", "US", "TH", "NG", "AE", "TR", "GB", "MX"];

struct Payment {
    card: u64,
    merchant: &'static str,
    category: &'static str,
    country: &'static str,
    cents: u64,
    /// When it was made, ms after the start.
    made_ms: u64,
    /// When it arrives: the order of the file.
    arrives_ms: u64,
}

fn main() {
    std::io::stdout().write_all(file().as_bytes()).expect("standard output takes the file");
}

/// The whole file.
pub(crate) fn file() -> String {
    let mut random = Random(2026);
    let mut payments = shopping(&mut random);
    theft(&mut random, &mut payments);
    payments.sort_by_key(|p| (p.arrives_ms, p.made_ms, p.card));
    let mut out = String::new();
    for (id, p) in payments.iter().enumerate() {
        write(&mut out, id as u64 + 1, p);
    }
    out
}

fn arrival(random: &mut Random, made_ms: u64) -> u64 {
    made_ms + if random.range(0, 400) == 0 { random.range(40_000, 75_000) } else { random.range(20, 2_200) }
}

fn shopping(random: &mut Random) -> Vec<Payment> {
    let weights: u64 = MERCHANTS.iter().map(|m| m.4).sum();
    let mut out = vec![];
    while (out.len() as u64) < PAYMENTS {
        let made_ms = random.range(0, SPAN_MS);
        // Shops empty towards eight: up to half of the later moments are dropped.
        if random.range(0, 2 * SPAN_MS) < made_ms {
            continue;
        }
        let card = random.range(0, CARDS);
        let mut at = random.range(0, weights);
        let merchant = MERCHANTS
            .iter()
            .find(|m| {
                let found = at < m.4;
                at = at.saturating_sub(m.4);
                found
            })
            .expect("the weights add up");
        // Low amounts are more frequent: the smaller of two draws.
        let cents = random.range(merchant.2, merchant.3).min(random.range(merchant.2, merchant.3));
        let home = COUNTRIES[(card % COUNTRIES.len() as u64) as usize];
        let country = if random.range(0, 40) == 0 { *random.pick(COUNTRIES) } else { home };
        let arrives_ms = arrival(random, made_ms);
        out.push(Payment {
            card,
            merchant: merchant.0,
            category: merchant.1,
            country,
            cents,
            made_ms,
            arrives_ms,
        });
    }
    out
}

fn theft(random: &mut Random, payments: &mut Vec<Payment>) {
    for n in 0..STOLEN {
        let card = random.range(0, CARDS);
        let mut made_ms = random.range(0, SPAN_MS - 300_000);
        let country = *random.pick(FAR);
        for k in 0..random.range(5, 12) {
            let (merchant, category) = *random.pick(TARGETS);
            let cents = if k < 2 { random.range(100, 500) } else { random.range(19_900, 99_900) };
            let country = if n % 3 == 0 { *random.pick(FAR) } else { country };
            let arrives_ms = arrival(random, made_ms);
            payments.push(Payment { card, merchant, category, country, cents, made_ms, arrives_ms });
            made_ms += random.range(2_000, 11_000);
        }
    }
}

fn write(out: &mut String, id: u64, p: &Payment) {
    let ms = START_MS + p.made_ms;
    let merchant =
        if p.merchant.contains(',') { format!("\"{}\"", p.merchant) } else { p.merchant.to_owned() };
    writeln!(
        out,
        "{id},4929-{:04}-{:04},{merchant},{},{},{}.{:02},2026-03-06 {:02}:{:02}:{:02}.{:03}",
        1000 + p.card * 7 % 9000,
        1000 + p.card * 1237 % 9000,
        p.category,
        p.country,
        p.cents / 100,
        p.cents % 100,
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1000 % 60,
        ms % 1000
    )
    .expect("a string takes everything");
}
