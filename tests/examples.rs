//! The examples do what they say.

#[path = "../examples/fraud/main.rs"]
mod fraud;
#[path = "../examples/sensor/main.rs"]
mod sensor;
#[path = "../examples/trading/main.rs"]
mod trading;

#[test]
fn stolen_cards_are_refused() {
    let report = fraud::run(20_000, 2_000).expect("the example runs");
    assert_eq!(report.payments, 20_000);
    // Twenty cards are tried five times each within half a minute: from the fourth shop on, they are refused.
    let many = report.refused.get("CARD AT MANY SHOPS").copied().unwrap_or(0);
    assert!((30..=60).contains(&many), "{report:?}");
    let (last, day) = (&report.last, report.last.card_n_24h);
    assert!(last.card_n_1m <= last.card_n_5m && last.card_n_5m <= last.card_n_1h && last.card_n_1h <= day);
    assert!(last.shop_n_24h > last.shop_n_1h && last.shop_max_24h >= last.shop_max_1h);
}

#[test]
fn averages_of_bars_cross_where_prices_turn() {
    let bars = trading::run(trading::ticks(120)).expect("the example runs");
    assert_eq!(bars.len(), 2 * 120);
    let first = &bars[0];
    let ticks: Vec<trading::Tick> = trading::ticks(1).filter(|t| t.symbol == first.symbol).collect();
    let volume: i64 = ticks.iter().map(|t| t.size).sum();
    let turnover: f64 = ticks.iter().map(|t| t.price * t.size as f64).sum();
    assert_eq!(first.volume, Some(volume));
    assert!((first.vwap.expect("there are trades") - turnover / volume as f64).abs() < 1e-9);
    let signals = |symbol: &str| {
        bars.iter()
            .filter(|b| b.symbol == symbol)
            .filter_map(|b| b.signal.clone().filter(|s| s == "BUY" || s == "SELL"))
            .collect::<Vec<_>>()
    };
    let (up, down) = (signals("UP"), signals("DOWN"));
    assert!(up.len() >= 2 && up.len() == down.len(), "{up:?} {down:?}");
    assert!(up.iter().zip(&down).all(|(u, d)| u != d), "they swing against each other");
    assert!(up.windows(2).all(|w| w[0] != w[1]), "a price goes up and down in turn");
}

#[test]
fn each_broken_reading_is_an_alert_before_and_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let readings: Vec<sensor::Reading> = sensor::readings(1000).collect();
    let alerts = sensor::run(&readings, &folder.path().join("sensor.state")).expect("the example runs");
    let seen: Vec<(i32, f64)> = alerts.iter().map(|a| (a.sensor, a.degree)).collect();
    let broken: Vec<(i32, f64)> =
        readings.iter().filter(|r| r.degree > 30.0).map(|r| (r.sensor, r.degree)).collect();
    assert_eq!(broken.len(), 25);
    assert_eq!(seen, broken);
}
