// franz-go: every codec, headers twice, a group, admin. Usage: franz HOST:PORT
// With more arguments it measures: franz HOST:PORT latency TOPIC RATE SECONDS prints p50 and p99 in milliseconds.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "franz-go:", err)
		os.Exit(1)
	}
}

// From the moment a record was due, not from when it was sent: a stall counts for all behind it.
func latency(ctx context.Context, address, topic string, rate, seconds int) {
	consumer, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(0)}}))
	check(err)
	producer, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0),
		kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite(), kgo.ProducerBatchCompression(kgo.NoCompression()))
	check(err)
	total := rate * seconds
	done := make(chan []float64)
	base := time.Now().Add(time.Second)
	go func() {
		out := make([]float64, 0, total)
		for len(out) < total {
			fetches := consumer.PollFetches(ctx)
			check(fetches.Err())
			now := time.Since(base)
			fetches.EachRecord(func(r *kgo.Record) {
				out = append(out, float64(int64(now)-int64(binary.BigEndian.Uint64(r.Value)))/1e6)
			})
		}
		done <- out
	}()
	for i := 0; i < total; i++ {
		due := time.Duration(i) * time.Second / time.Duration(rate)
		if wait := due - time.Since(base); wait > 0 {
			time.Sleep(wait)
		}
		value := make([]byte, 128)
		binary.BigEndian.PutUint64(value, uint64(due))
		producer.Produce(ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) { check(err) })
	}
	out := (<-done)[total/5:]
	sort.Float64s(out)
	fmt.Println(out[len(out)/2], out[len(out)*99/100])
}

func main() {
	if len(os.Args) > 2 {
		rate, _ := strconv.Atoi(os.Args[4])
		seconds, _ := strconv.Atoi(os.Args[5])
		latency(context.Background(), os.Args[1], os.Args[3], rate, seconds)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	seeds := kgo.SeedBrokers(os.Args[1])
	plain, err := kgo.NewClient(seeds)
	check(err)
	admin := kadm.NewClient(plain)
	_, err = admin.CreateTopic(ctx, 3, 1, nil, "go")
	check(err)
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	for c, codec := range codecs {
		client, err := kgo.NewClient(seeds, kgo.ProducerBatchCompression(codec), kgo.DefaultProduceTopic("go"))
		check(err)
		for i := 0; i < 100; i++ {
			r := kgo.KeySliceRecord([]byte(fmt.Sprint(i)), []byte(fmt.Sprintf("%d-%d", c, i)))
			r.Headers = []kgo.RecordHeader{{Key: "h", Value: []byte("1")}, {Key: "h", Value: nil}}
			client.Produce(ctx, r, func(_ *kgo.Record, err error) { check(err) })
		}
		check(client.Flush(ctx))
		client.Close()
	}
	consumer, err := kgo.NewClient(seeds, kgo.ConsumerGroup("go-group"), kgo.ConsumeTopics("go"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	check(err)
	seen := map[string]bool{}
	for len(seen) < 500 {
		fetches := consumer.PollFetches(ctx)
		check(fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			if len(r.Headers) != 2 {
				check(fmt.Errorf("%d headers", len(r.Headers)))
			}
			seen[string(r.Value)] = true
		})
	}
	check(consumer.CommitUncommittedOffsets(ctx))
	consumer.Close()
	lags, err := admin.Lag(ctx, "go-group")
	check(err)
	if lag := lags["go-group"].Lag.Total(); lag != 0 {
		check(fmt.Errorf("lag %d", lag))
	}
	_, err = admin.DeleteTopics(ctx, "go")
	check(err)
	fmt.Println("franz-go: 500 records, 5 codecs, headers twice, a group, admin")
}
