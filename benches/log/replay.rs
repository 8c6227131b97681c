//! Reading a log from its start with every checksum checked, one core, from the page cache.

use criterion::{Criterion, Throughput};
use pelton::log::{Check, Follow, Log, LogConfig, TopicConfig};
use pelton::wire::BatchBuilder;

use crate::measure::folder;

const BYTES: usize = 512 << 20;

/// Batches of 16 KiB (what a producer with the usual settings sends) and of one record of 128 bytes.
pub(crate) fn throughput(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log/replay with CRC");
    for (name, records) in [("batches of 100 × 128 B", 100), ("batches of one record of 128 B", 1)] {
        let dir = folder();
        let mut log = Log::open(dir.path(), LogConfig::default()).unwrap();
        log.create_topic("t", 1, TopicConfig { retention_ms: -1, ..TopicConfig::default() }).unwrap();
        let mut writer = log.writer("t", 0).unwrap();
        let mut builder = BatchBuilder::new();
        let mut size = 0;
        while size < BYTES {
            for _ in 0..records {
                builder.push(1, None, Some(&[7; 128]), &[]);
            }
            size += builder.size();
            writer.append_built(&mut builder, 1).unwrap();
            writer.publish().unwrap();
        }
        drop(writer);
        log.close().unwrap();
        let log = Log::open(dir.path(), LogConfig::default()).unwrap();
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut reader = log.reader("t", 0, 0, Follow::Published).unwrap().checking(Check::All);
                let mut bytes = 0;
                while let Some(batch) = reader.poll().unwrap() {
                    bytes += batch.bytes().len();
                }
                assert_eq!(bytes, size);
            });
        });
    }
    group.finish();
}
