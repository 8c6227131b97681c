//! Payments of many cards over a day, each a function of its number, and what is known of one when it is decided.

pelton::row! {
    /// A payment that asks to be authorised. The amount is in cents.
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Payment {
        pub(crate) card: i64,
        pub(crate) merchant: i32,
        pub(crate) amount: i64,
        pub(crate) ts: pelton::Timestamp,
    }
}

pelton::row! {
    /// What card and merchant did lately, and why the payment is refused; none: it is not.
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Decision {
        pub(crate) card_n_1m: i64,
        pub(crate) card_sum_1m: Option<i64>,
        pub(crate) card_max_1m: Option<i64>,
        pub(crate) card_merchants_1m: i64,
        pub(crate) card_n_5m: i64,
        pub(crate) card_sum_5m: Option<i64>,
        pub(crate) card_max_5m: Option<i64>,
        pub(crate) card_merchants_5m: i64,
        pub(crate) card_n_1h: i64,
        pub(crate) card_sum_1h: Option<i64>,
        pub(crate) card_max_1h: Option<i64>,
        pub(crate) card_merchants_1h: i64,
        pub(crate) card_n_24h: i64,
        pub(crate) card_sum_24h: Option<i64>,
        pub(crate) card_max_24h: Option<i64>,
        pub(crate) card_merchants_24h: i64,
        pub(crate) shop_n_1m: i64,
        pub(crate) shop_sum_1m: Option<i64>,
        pub(crate) shop_max_1m: Option<i64>,
        pub(crate) shop_n_5m: i64,
        pub(crate) shop_sum_5m: Option<i64>,
        pub(crate) shop_max_5m: Option<i64>,
        pub(crate) shop_n_1h: i64,
        pub(crate) shop_sum_1h: Option<i64>,
        pub(crate) shop_max_1h: Option<i64>,
        pub(crate) shop_n_24h: i64,
        pub(crate) shop_sum_24h: Option<i64>,
        pub(crate) shop_max_24h: Option<i64>,
        pub(crate) reason: Option<String>,
    }
}

/// Payments in the order of their times.
pub(crate) struct Payments {
    cards: u64,
    merchants: u64,
    /// The time between two payments, µs.
    step_us: f64,
    /// Few cards and merchants have most of the payments.
    skewed: bool,
    next: u64,
}

impl Payments {
    /// Payments of so many cards at so many merchants, so many a day.
    pub(crate) fn new(cards: u64, merchants: u64, a_day: u64, skewed: bool) -> Self {
        Self { cards, merchants, step_us: 86_400e6 / a_day as f64, skewed, next: 0 }
    }

    /// The next payment, into one that is there.
    pub(crate) fn fill(&mut self, payment: &mut Payment) {
        let n = self.next;
        self.next += 1;
        let (a, b) = (mix(n * 3), mix(n * 3 + 1));
        payment.card = pick(a, self.cards, self.skewed) as i64;
        payment.merchant = pick(b, self.merchants, self.skewed) as i32;
        payment.amount = 100 + (mix(n * 3 + 2) % 20_000) as i64;
        payment.ts = pelton::Timestamp((n as f64 * self.step_us) as i64 / 1000 * 1000);
    }
}

/// One of `of`: each alike, or the first ones most (roughly Zipf's law with exponent 1).
fn pick(random: u64, of: u64, skewed: bool) -> u64 {
    if !skewed {
        return random % of;
    }
    let unit = (random >> 11) as f64 / (1_u64 << 53) as f64;
    // Numbers that are neighbours in rank are not neighbours in memory.
    let rank = (of as f64).powf(unit) as u64 - 1;
    mix(rank) % of
}

/// A number that looks like chance (splitmix64's last steps).
pub(super) fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
