//! The events are the generator's; a replay is the generator's first events, then shifted as documented; positions go on.

use super::*;
use crate::batch::text::{Style, write_value};
use crate::batch::{Batch, Decoder, Encoder, Pool};
use crate::error::Span;
use crate::plan::connector::{ConnectorSpec, OptionValue};
use crate::shard::{IoContext, Polled};
use ::nexmark::EventGenerator;
use ::nexmark::event::Event;
use jiff::tz::TimeZone;

fn table(options: &[(&str, &str)]) -> TableSpec {
    let value = |(k, v): &(&str, &str)| {
        (
            (*k).to_owned(),
            OptionValue { value: (*v).to_owned(), span: Span::default(), pair: Span::default() },
        )
    };
    TableSpec {
        name: "t".into(),
        connector: ConnectorSpec {
            connector: "nexmark".into(),
            options: options.iter().map(value).collect(),
            span: Span::default(),
        },
        schema: schema(),
        partition_keys: vec![],
        primary_key: vec![],
        settings: Default::default(),
        time_zone: TimeZone::UTC,
    }
}

fn spec(options: &[(&str, &str)], columns: &[usize]) -> (NexmarkSource, SourceSpec) {
    let table = table(options);
    let source = NexmarkSource::of(&table).unwrap();
    let spec = SourceSpec {
        table,
        columns: columns.to_vec(),
        leaves: vec![],
        metadata: vec![],
        info: source.info(),
    };
    (source, spec)
}

fn show(batch: &Batch, columns: &[usize], to: &mut Vec<String>) {
    let schema = schema();
    for row in batch.sel().iter() {
        let mut text = vec![];
        for (c, number) in batch.columns.iter().zip(columns) {
            write_value(c, row, schema.ty(*number), &TimeZone::UTC, Style::Changelog, &mut text);
            text.push(b' ');
        }
        to.push(String::from_utf8(text).unwrap());
    }
}

fn poll(input: &mut dyn Input, columns: &[usize], max_rows: usize, stop: usize) -> Vec<String> {
    let mut pool = Pool::default();
    let mut out = vec![];
    while out.len() < stop {
        let max_rows = max_rows.min(stop - out.len());
        match input.poll(max_rows, &mut IoContext { pool: &mut pool, now_us: 0 }).unwrap() {
            Polled::Batch(b) => {
                assert!(b.selected() <= max_rows);
                show(&b, columns, &mut out);
                pool.recycle(b);
            }
            Polled::Pending => panic!("a generator has always something"),
            Polled::End => break,
        }
    }
    out
}

/// An event written by hand from the generator's own struct: what the columns must show.
fn expected(event: &Event) -> String {
    let time = |ms: u64| {
        let mut out = vec![];
        let m = crate::batch::text::civil::Moment::from_millis(ms as i64);
        crate::batch::text::civil::write_timestamp(m, 3, &mut out);
        String::from_utf8(out).unwrap()
    };
    match event {
        Event::Person(e) => format!(
            r#"0 {{"id":{},"name":"{}","emailAddress":"{}","creditCard":"{}","city":"{}","state":"{}","dateTime":"{}","extra":"{}"}} \N \N "#,
            e.id,
            e.name,
            e.email_address,
            e.credit_card,
            e.city,
            e.state,
            time(e.date_time),
            e.extra
        ),
        Event::Auction(e) => format!(
            r#"1 \N {{"id":{},"itemName":"{}","description":"{}","initialBid":{},"reserve":{},"dateTime":"{}","expires":"{}","seller":{},"category":{},"extra":"{}"}} \N "#,
            e.id,
            e.item_name,
            e.description,
            e.initial_bid,
            e.reserve,
            time(e.date_time),
            time(e.expires),
            e.seller,
            e.category,
            e.extra
        ),
        Event::Bid(e) => format!(
            r#"2 \N \N {{"auction":{},"bidder":{},"price":{},"channel":"{}","url":"{}","dateTime":"{}","extra":"{}"}} "#,
            e.auction,
            e.bidder,
            e.price,
            e.channel,
            e.url,
            time(e.date_time),
            e.extra
        ),
    }
}

const ALL: &[usize] = &[0, 1, 2, 3];

#[test]
fn events_are_the_generators_at_every_batch_size() {
    let (source, spec) = spec(&[("events.num", "3000")], ALL);
    let model: Vec<String> =
        EventGenerator::new(source.config.clone()).take(3000).map(|e| expected(&e)).collect();
    for max_rows in [1, 2, 7, 1024] {
        let mut input = source.open(&spec, 0, 1).remove(0);
        assert_eq!(poll(&mut *input, ALL, max_rows, usize::MAX), model, "{max_rows} rows");
    }
    assert!(model[0].contains("\"state\":\"AZ\""), "the queries look for capitals");
}

/// An event of pass `k`, by the documented rule.
fn shifted(event: &Event, recording: &replay::Recording, pass: u64) -> Event {
    let (persons, auctions, us) = recording.shift(pass);
    let (persons, auctions, ms) = (persons as usize, auctions as usize, us as u64 / 1000);
    let mut event = event.clone();
    match &mut event {
        Event::Person(e) => {
            e.id += persons;
            e.date_time += ms;
        }
        Event::Auction(e) => {
            e.id += auctions;
            e.seller += persons;
            e.date_time += ms;
            e.expires += ms;
        }
        Event::Bid(e) => {
            e.auction += auctions;
            e.bidder += persons;
            e.date_time += ms;
        }
    }
    event
}

#[test]
fn a_replay_is_the_generator_then_the_generator_shifted() {
    // Not a multiple of a block, so that blocks of different lengths come.
    let (source, spec) = spec(&[("mode", "replay"), ("replay.events", "2480"), ("events.num", "9000")], ALL);
    assert_eq!(source.replay, Some(2500));
    let recording = replay::Recording::make(&source.config, EventColumns::new(ALL, &[]), 2500);
    let own: Vec<Event> = EventGenerator::new(source.config.clone()).take(2500).collect();
    let model: Vec<String> =
        (0..9000).map(|i| expected(&shifted(&own[i % 2500], &recording, i as u64 / 2500))).collect();
    assert_eq!(recording.shift(1), (50, 150, 250_000));
    for max_rows in [1, 7, 1000, 1024, 5000] {
        let mut input = source.open(&spec, 0, 1).remove(0);
        let got = poll(&mut *input, ALL, max_rows, usize::MAX);
        assert!(got == model, "{max_rows} rows");
    }
    // No pass equals another.
    assert_ne!(model[..2500], model[2500..5000]);
    // Event time never goes back from one pass to the next: the generator's own 2501st event has the time of the replayed one.
    let next = EventGenerator::new(source.config.clone()).with_offset(2500).next().unwrap();
    assert_eq!(next.timestamp(), shifted(&own[0], &recording, 1).timestamp());
}

#[test]
fn a_replays_checksum_is_that_of_its_rule_over_many_events() {
    let (source, spec) =
        spec(&[("mode", "replay"), ("replay.events", "50000"), ("events.num", "250000")], &[0, 3]);
    let recording = replay::Recording::make(&source.config, EventColumns::new(&[3], &[]), 50_000);
    let mut model = (0u64, 0i64, 0i64, 0i64);
    let own: Vec<Event> = EventGenerator::new(source.config.clone()).take(50_000).collect();
    for pass in 0..5 {
        for e in &own {
            if let Event::Bid(b) = shifted(e, &recording, pass) {
                model.0 += 1;
                model.1 += b.auction as i64 + b.bidder as i64;
                model.2 += b.price as i64;
                model.3 = model.3.wrapping_mul(31).wrapping_add(b.date_time as i64);
            }
        }
    }
    let mut input = source.open(&spec, 0, 1).remove(0);
    let mut pool = Pool::default();
    let mut got = (0u64, 0i64, 0i64, 0i64);
    while let Polled::Batch(b) = input.poll(1024, &mut IoContext { pool: &mut pool, now_us: 0 }).unwrap() {
        let crate::batch::ColumnData::Row(bid) = &b.column(1).data else { panic!() };
        for row in (0..b.rows()).filter(|r| b.column(1).is_valid(*r)) {
            assert_eq!(b.column(0).slice::<i32>()[row], 2);
            got.0 += 1;
            got.1 += bid[0].slice::<i64>()[row] + bid[1].slice::<i64>()[row];
            got.2 += bid[2].slice::<i64>()[row];
            got.3 = got.3.wrapping_mul(31).wrapping_add(bid[5].slice::<i64>()[row] / 1000);
        }
        pool.recycle(b);
    }
    assert_eq!(got, model);
}

#[test]
fn a_batch_that_is_held_is_not_overwritten() {
    let (source, spec) = spec(&[("mode", "replay"), ("replay.events", "100"), ("events.num", "1000")], &[3]);
    let mut input = source.open(&spec, 0, 1).remove(0);
    let mut pool = Pool::default();
    let mut held = vec![];
    while let Polled::Batch(b) = input.poll(30, &mut IoContext { pool: &mut pool, now_us: 0 }).unwrap() {
        held.push(b);
    }
    let mut rows = vec![];
    held.iter().for_each(|b| show(b, &[3], &mut rows));
    let mut again = source.open(&spec, 0, 1).remove(0);
    assert_eq!(rows, poll(&mut *again, &[3], 7, usize::MAX));
}

#[test]
fn positions_go_on_where_they_were() {
    for options in
        [&[("events.num", "700")][..], &[("mode", "replay"), ("replay.events", "200"), ("events.num", "700")]]
    {
        let (source, spec) = spec(options, &[0, 2]);
        let whole = poll(&mut *source.open(&spec, 0, 1).remove(0), &[0, 2], 64, usize::MAX);
        assert_eq!(whole.len(), 700);
        for stop in [0, 1, 199, 200, 201, 450, 700] {
            let mut input = source.open(&spec, 0, 1).remove(0);
            let mut got = poll(&mut *input, &[0, 2], 13, stop);
            let mut to = Encoder::default();
            input.snapshot(&mut to);
            let bytes = to.finish();
            let mut input = source.open(&spec, 0, 1).remove(0);
            input.restore(&mut Decoder::new(&bytes)).unwrap();
            got.extend(poll(&mut *input, &[0, 2], 1024, usize::MAX));
            assert_eq!(got, whole, "stopped after {stop}");
        }
    }
}

#[test]
fn parts_share_the_events_out() {
    for options in [
        &[("events.num", "5000")][..],
        &[("mode", "replay"), ("replay.events", "2000"), ("events.num", "5000")],
    ] {
        let (source, spec) = spec(options, &[0, 3]);
        let mut whole = poll(&mut *source.open(&spec, 0, 1).remove(0), &[0, 3], 1024, usize::MAX);
        let parts = source.open(&spec, 0, 3);
        let mut got: Vec<String> = vec![];
        for mut p in parts {
            let rows = poll(&mut *p, &[0, 3], 100, usize::MAX);
            assert!(rows.len() > 1000, "{} rows", rows.len());
            got.extend(rows);
        }
        whole.sort();
        got.sort();
        assert!(got == whole);
    }
}

#[test]
fn a_rate_holds_events_back() {
    for mode in ["generate", "replay"] {
        let (source, spec) =
            spec(&[("mode", mode), ("rate.limited", "true"), ("first-event.rate", "1000")], &[0]);
        let mut input = source.open(&spec, 0, 1).remove(0);
        let mut pool = Pool::default();
        let mut rows_until = |now_us: i64| {
            let mut rows = 0;
            while let Polled::Batch(b) = input.poll(100, &mut IoContext { pool: &mut pool, now_us }).unwrap()
            {
                rows += b.rows();
            }
            rows
        };
        let first = rows_until(5_000_000);
        let second = rows_until(8_000_000);
        assert!(first <= 10 && (1900..=3100).contains(&second), "{mode}: {first}, {second}");
    }
}

#[test]
fn columns_and_options_are_checked() {
    let mut t = table(&[]);
    t.schema.fields[0].name = "kind".into();
    let e = NexmarkSource::of(&t).unwrap_err();
    assert!(e.advice().unwrap().starts_with("declare `event_type` INT, `person` ROW<"), "{e}");
    for (key, value) in [
        ("bid.proportion", "-1"),
        ("person.proportion", "0"),
        ("mode", "again"),
        ("event.num", "1"),
        ("replay.events", "10"),
    ] {
        assert!(NexmarkSource::of(&table(&[(key, value)])).is_err(), "{key}={value}");
    }
    assert!(!spec(&[], ALL).0.info().bounded);
    assert!(spec(&[("events.num", "1")], ALL).0.info().bounded);
}

/// Each field read alone shows what it shows inside its row, and NULL where the event is of another kind.
#[test]
fn fields_are_those_of_the_rows() {
    let leaves: Vec<Vec<usize>> =
        vec![vec![1, 0], vec![1, 6], vec![2, 1], vec![2, 7], vec![3, 0], vec![3, 4]];
    for mode in [vec![], vec![("mode", "replay"), ("replay.events", "100")]] {
        let options = [mode.as_slice(), &[("events.num", "330")]].concat();
        let (source, mut scan) = spec(&options, ALL);
        scan.leaves = leaves.clone();
        for max_rows in [7, 1024] {
            let mut input = source.open(&scan, 0, 1).remove(0);
            let (mut pool, mut rows) = (Pool::default(), 0);
            while let Polled::Batch(b) =
                input.poll(max_rows, &mut IoContext { pool: &mut pool, now_us: 0 }).unwrap()
            {
                for (leaf, path) in b.columns[ALL.len()..].iter().zip(&leaves) {
                    let row = b.column(path[0]);
                    let TypeKind::Row(fields) = schema().ty(path[0]).kind.clone() else { panic!("a row") };
                    let crate::batch::ColumnData::Row(parts) = &row.data else { panic!("a row") };
                    let field = &parts[path[1]];
                    let show = |c: &crate::batch::Column, n: usize| {
                        let mut text = vec![];
                        write_value(c, n, &fields[path[1]].ty, &TimeZone::UTC, Style::Changelog, &mut text);
                        text
                    };
                    for n in b.sel().iter() {
                        assert_eq!(leaf.is_valid(n), row.is_valid(n), "{path:?} row {n}");
                        if row.is_valid(n) {
                            assert_eq!(show(leaf, n), show(field, n), "{path:?} row {n}");
                        }
                    }
                }
                rows += b.selected();
                pool.recycle(b);
            }
            assert_eq!(rows, 330);
        }
    }
}
