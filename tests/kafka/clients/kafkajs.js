// kafkajs: codecs it has, headers, keys, a group, admin. Usage: node kafkajs.js HOST:PORT
const { Kafka, logLevel, CompressionTypes, AssignerProtocol } = require('kafkajs')
const assert = require('assert')
;(async () => {
  const kafka = new Kafka({ clientId: 'js', brokers: [process.argv[2]], logLevel: logLevel.ERROR })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'js', numPartitions: 3 }] })
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
    const messages = []
    for (let i = 0; i < 100; i++) messages.push({ key: `k${i}`, value: `v${compression}-${i}`, headers: { h: ['1', '2'] } })
    await producer.send({ topic: 'js', compression, messages })
  }
  const consumer = kafka.consumer({ groupId: 'js-group' })
  await consumer.connect()
  await consumer.subscribe({ topics: ['js'], fromBeginning: true })
  const seen = new Set()
  await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`only ${seen.size} of 200`)), 30000)
    consumer.run({
      eachMessage: async ({ message }) => {
        assert.strictEqual(message.headers.h.length, 2)
        seen.add(message.value.toString())
        if (seen.size === 200) resolve()
      },
    })
  })
  const { groups } = await admin.describeGroups(['js-group'])
  assert.strictEqual(groups[0].state, 'Stable')
  const { memberAssignment } = groups[0].members[0]
  assert.ok(AssignerProtocol.MemberAssignment.decode(memberAssignment).assignment.js.length === 3)
  await consumer.disconnect()
  const offsets = await admin.fetchTopicOffsets('js')
  assert.strictEqual(offsets.reduce((n, o) => n + Number(o.high), 0), 200)
  await admin.deleteTopics({ topics: ['js'] })
  await admin.disconnect()
  await producer.disconnect()
  console.log('kafkajs: 200 records, idempotent, gzip, headers twice, a group, admin')
  process.exit(0)
})().catch((e) => { console.error(e); process.exit(1) })
