// franz-go: every codec, headers twice, a group, admin. Usage: franz HOST:PORT
package main

import (
	"context"
	"fmt"
	"os"
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

func main() {
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
