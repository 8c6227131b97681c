// Groups of the Java client: members that come and go while they consume, static members, both assignment protocols, and a
// broker that restarts under live members. Usage: java Groups.java HOST:PORT ASSIGNOR(range|cooperative) STATIC(true|false)
//
// It says "restart" on its output where the broker is to be restarted, and goes on when it reads a line.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

public class Groups {
    static final int PARTITIONS = 6;
    static final long PATIENCE_MS = 40_000;
    static String address, assignor, topic;
    static boolean isStatic;
    /** Deliveries of each value. */
    static final ConcurrentMap<String, AtomicInteger> seen = new ConcurrentHashMap<>();
    static final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();

    static class Member extends Thread implements ConsumerRebalanceListener {
        final String name;
        final AtomicBoolean leaves = new AtomicBoolean();
        volatile Set<TopicPartition> assigned = Set.of();
        volatile int generation = -1;
        final AtomicInteger polls = new AtomicInteger();

        Member(String name) {
            this.name = name;
            start();
        }

        public void onPartitionsAssigned(Collection<TopicPartition> p) {}

        public void onPartitionsRevoked(Collection<TopicPartition> p) {}

        public void run() {
            Properties c = new Properties();
            c.put("bootstrap.servers", address);
            c.put("group.id", topic);
            c.put("auto.offset.reset", "earliest");
            c.put("enable.auto.commit", "false");
            c.put("session.timeout.ms", "10000");
            c.put("heartbeat.interval.ms", "300");
            c.put("partition.assignment.strategy", assignor.equals("cooperative")
                    ? CooperativeStickyAssignor.class.getName() : RangeAssignor.class.getName());
            if (isStatic) c.put("group.instance.id", name);
            try (var consumer = new KafkaConsumer<>(c, new StringDeserializer(), new StringDeserializer())) {
                consumer.subscribe(List.of(topic), this);
                while (!leaves.get()) {
                    for (var record : consumer.poll(Duration.ofMillis(100)))
                        seen.computeIfAbsent(record.value(), v -> new AtomicInteger()).incrementAndGet();
                    try {
                        consumer.commitSync(Duration.ofSeconds(20));
                    } catch (CommitFailedException | org.apache.kafka.common.errors.RebalanceInProgressException e) {
                        // A rebalance was quicker: what was not committed comes again.
                    }
                    assigned = Set.copyOf(consumer.assignment());
                    generation = consumer.groupMetadata().generationId();
                    polls.incrementAndGet();
                }
            } catch (Throwable e) {
                failures.add(e);
            }
        }

        void leave() throws Exception {
            leaves.set(true);
            join();
        }
    }

    interface Condition { boolean holds() throws Exception; }

    static void await(String what, Condition condition) throws Exception {
        long end = System.currentTimeMillis() + PATIENCE_MS;
        while (!condition.holds()) {
            if (!failures.isEmpty()) throw new IllegalStateException(failures.peek());
            if (System.currentTimeMillis() > end) throw new IllegalStateException("never: " + what + ", seen " + seen.size());
            Thread.sleep(20);
        }
    }

    /** Each member has its share, all together have everything, nothing twice. */
    static void awaitShares(Member... members) throws Exception {
        await(members.length + " members share the partitions", () -> {
            Set<TopicPartition> all = new HashSet<>();
            int n = 0;
            for (Member m : members) {
                if (m.assigned.size() != PARTITIONS / members.length) return false;
                all.addAll(m.assigned);
                n += m.assigned.size();
            }
            return n == PARTITIONS && all.size() == PARTITIONS;
        });
    }

    static KafkaProducer<String, String> producer;
    static int sent = 0;

    static void send(int count) throws Exception {
        List<Future<RecordMetadata>> acks = new ArrayList<>();
        for (int i = 0; i < count; i++, sent++)
            acks.add(producer.send(new ProducerRecord<>(topic, sent % PARTITIONS, null, "v" + sent)));
        for (var ack : acks) ack.get(30, TimeUnit.SECONDS);
        await("all records", () -> seen.size() == sent);
    }

    public static void main(String[] args) {
        // A failure ends the members' threads too.
        try {
            test(args);
            System.exit(0);
        } catch (Throwable e) {
            e.printStackTrace(System.out);
            System.exit(1);
        }
    }

    static void test(String[] args) throws Exception {
        address = args[0];
        assignor = args[1];
        isStatic = Boolean.parseBoolean(args[2]);
        topic = "java-" + assignor + "-" + isStatic;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", address))) {
            admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1))).all().get(20, TimeUnit.SECONDS);
        }
        // Idempotent, as it is by default.
        producer = new KafkaProducer<>(Map.of("bootstrap.servers", address), new StringSerializer(), new StringSerializer());
        Member a = new Member("a"), b = new Member("b");
        awaitShares(a, b);
        send(200);
        Member c = new Member("c");
        awaitShares(a, b, c);
        send(200);
        if (isStatic) {
            // Gone and back within its session: it has the same partitions, and nobody else has noticed.
            var before = c.assigned;
            int generation = a.generation;
            c.leave();
            c = new Member("c");
            final Member back = c;
            await("the static member is back", () -> !back.assigned.isEmpty());
            if (!back.assigned.equals(before)) throw new IllegalStateException("other partitions: " + before + " " + back.assigned);
            int polls = a.polls.get();
            await("another poll", () -> a.polls.get() > polls + 5);
            if (a.generation != generation) throw new IllegalStateException("a rebalance for a static member");
            send(100);
        }
        System.out.println("restart");
        System.out.flush();
        if (new BufferedReader(new InputStreamReader(System.in)).readLine() == null) throw new IllegalStateException("no restart");
        send(200);
        awaitShares(a, b, c);
        c.leave();
        if (!isStatic) awaitShares(a, b);
        if (!isStatic) send(100);
        a.leave();
        b.leave();
        producer.close();
        if (!failures.isEmpty()) throw new IllegalStateException(failures.peek());
        int again = seen.values().stream().mapToInt(n -> n.get() - 1).sum();
        System.out.println("\nJava group (" + assignor + ", static=" + isStatic + "): " + sent + " records, a member joined"
                + (isStatic ? ", went and came back unnoticed" : " and left") + ", the broker restarted; " + again + " delivered twice");
    }
}
