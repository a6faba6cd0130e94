// The design that people have today: BullMQ for delayed jobs, nodemailer for mail, a limit by INCR and moveToDelayed.
//
//   node queue.mjs schedule|empty|mail|lag|burst|limit OPTIONS      OPTIONS: a JSON object
//
// Prints one JSON object. Jobs are durable: Redis keeps an append-only file, and each carries its recipient's values.
import { performance } from 'node:perf_hooks';
import { DelayedError, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import nodemailer from 'nodemailer';

const CONCURRENCY = 5;
const BATCH = 1000;
const HOUR_MS = 3_600_000;
const QUIET_MS = 400;
const [mode, given] = process.argv.slice(2);
const options = JSON.parse(given);

const connection = new Redis(options.redis, { maxRetriesPerRequest: null });
const queue = new Queue('mails', { connection, defaultJobOptions: { removeOnComplete: true, removeOnFail: 1000 } });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const person = (n) => ({
  n,
  email: `r${n}@example.com`,
  name: `Ann ${n}`,
  city: 'Rome',
  company: `Company ${n % 999}`,
});

// Jobs 1 to count; `due` gives the instant of each in ms.
async function schedule(count, due) {
  for (let first = 1; first <= count; first += BATCH) {
    const jobs = [];
    for (let n = first; n < Math.min(first + BATCH, count + 1); n++) {
      const at = due(n);
      jobs.push({ name: 'mail', data: { ...person(n), due: at }, opts: { delay: Math.max(0, at - Date.now()) } });
    }
    await queue.addBulk(jobs);
  }
}

// Works until `count` jobs were processed, from the instant at which the worker starts.
async function work(count, process) {
  let done = 0;
  let finish;
  const finished = new Promise((resolve) => {
    finish = resolve;
  });
  const worker = new Worker('mails', process, { connection: connection.duplicate(), concurrency: CONCURRENCY });
  worker.on('completed', () => {
    done += 1;
    if (done === count) finish();
  });
  const begun = performance.now();
  await finished;
  const seconds = (performance.now() - begun) / 1000;
  await worker.close();
  return seconds;
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}

async function commands() {
  const stats = await connection.info('commandstats');
  return [...stats.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

async function usedBytes() {
  return Number(/used_memory:(\d+)/.exec(await connection.info('memory'))[1]);
}

const html = (p) => `<html><body><p>Dear ${p.name},</p><p>we looked at what <b>${p.company}</b> does in ${p.city}, and
believe that we can save you a day a week.</p><p>Would a call of ten minutes next Tuesday suit you? If not, a word is
enough, and you will not hear of us again.</p><p>Kind regards<br>Ann Example<br>
<a href="https://example.com/${p.city}">Example</a></p></body></html>\n`;
const text = (p) => `Dear ${p.name},\n\nwe looked at what ${p.company} does in ${p.city}, and believe that we can save
you a day a week. Would a call of ten minutes next Tuesday suit you? If not, a word is enough, and you will not hear of
us again.\n\nKind regards\nAnn Example\n`;

const modes = {
  async schedule({ count }) {
    const before = await usedBytes();
    const begun = performance.now();
    await schedule(count, (n) => Date.now() + HOUR_MS + n);
    const seconds = (performance.now() - begun) / 1000;
    return { per_s: count / seconds, bytes: ((await usedBytes()) - before) / count };
  },

  async empty({ count }) {
    await schedule(count, () => 0);
    return { per_s: count / (await work(count, async () => {})) };
  },

  async mail({ count, port }) {
    const transport = nodemailer.createTransport({
      host: '127.0.0.1',
      port,
      pool: true,
      maxConnections: CONCURRENCY,
      maxMessages: Infinity,
      ignoreTLS: true,
    });
    const send = async ({ data }) => {
      await transport.sendMail({
        from: 'Ann <ann@example.com>',
        to: data.email,
        subject: `An offer for ${data.company}, ${data.name}`,
        text: text(data),
        html: html(data),
      });
    };
    await schedule(options.warm, () => 0);
    await work(options.warm, send);
    await schedule(count, () => 0);
    const seconds = await work(count, send);
    transport.close();
    return { per_s: count / seconds };
  },

  async lag({ count, everyMs }) {
    const first = Date.now() + 3000;
    const lags = [];
    await schedule(count, (n) => first + n * everyMs);
    await work(count, async ({ data }) => {
      lags.push(Date.now() - data.due);
    });
    lags.sort((a, b) => a - b);
    return { p50_ms: quantile(lags, 0.5), p99_ms: quantile(lags, 0.99) };
  },

  async burst({ count }) {
    const due = Date.now() + 3000;
    await schedule(count, () => due);
    let last = 0;
    await work(count, async () => {
      last = Date.now();
    });
    return { s: (last - due) / 1000 };
  },

  // The usual way: a counter an hour, and what is above it goes back into the delayed set, one move a job.
  async limit({ count, limit }) {
    await schedule(count, () => 0);
    const counter = connection.duplicate();
    const left = [];
    let moved = 0;
    let metAt = 0;
    let lastAt = 0;
    let before = 0;
    const worker = new Worker(
      'mails',
      async (job, token) => {
        const used = await counter.incr('limit:mailbox:hour');
        if (used <= limit) {
          left.push(job.data.n);
          return;
        }
        if (!metAt) {
          metAt = performance.now();
          before = await commands();
        }
        await job.moveToDelayed(Date.now() + HOUR_MS, token);
        moved += 1;
        lastAt = performance.now();
        throw new DelayedError();
      },
      { connection: connection.duplicate(), concurrency: CONCURRENCY },
    );
    while (moved < count - limit || performance.now() - lastAt < QUIET_MS) await sleep(20);
    const used = (await commands()) - before;
    await worker.close();
    await counter.quit();
    // At the next window: which jobs leave then?
    const delayed = await queue.getDelayed(0, limit - 1);
    const first = delayed.map((job) => job.data.n);
    return {
      commands: used,
      ms: lastAt - metAt,
      out_of_order: outOfOrder(left) + outOfOrder(first),
    };
  },
};

// How many come after one that should have come later.
function outOfOrder(numbers) {
  let most = 0;
  let count = 0;
  for (const n of numbers) {
    if (n < most) count += 1;
    most = Math.max(most, n);
  }
  return count;
}

const found = await modes[mode](options);
await queue.close();
await connection.quit();
console.log(JSON.stringify({ ...found, cpu_s: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6 }));
// Connections that workers were given stay open otherwise.
process.exit(0);
