import assert from 'node:assert/strict'
import { it } from 'node:test'
import { readRateLimit } from '../../src/oauth/rate-limit-headers.ts'

const now = new Date('2026-03-04T05:06:07Z')
const epoch = now.getTime() / 1000

type Row = readonly [
  what: string,
  status: number,
  headers: Readonly<Record<string, string>>,
  told: readonly [bucket: string, remaining: number, waitSeconds: number] | undefined,
]
const table: readonly Row[] = [
  ['nothing', 200, {}, undefined],
  ['Retry-After in seconds', 429, { 'retry-after': '30' }, ['', 0, 30]],
  ['Retry-After as a date', 429, { 'retry-after': 'Wed, 04 Mar 2026 05:07:07 GMT' }, ['', 0, 60]],
  ['Retry-After of an outage', 503, { 'retry-after': '30' }, undefined],
  ['429 alone', 429, {}, undefined],
  ['a structured field', 200, { ratelimit: '"default";r=50;t=30' }, ['default', 50, 30]],
  ['several limits', 200, { ratelimit: '"burst";r=2;t=5, "day";r=900;t=3000' }, ['burst', 2, 5]],
  ['the older list', 200, { ratelimit: 'limit=100, remaining=7, reset=20' }, ['', 7, 20]],
  [
    'the oldest draft',
    200,
    { 'ratelimit-limit': '10', 'ratelimit-remaining': '3', 'ratelimit-reset': '12' },
    ['', 3, 12],
  ],
  ['epoch seconds', 200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(epoch + 90) }, ['', 0, 90]],
  [
    'epoch milliseconds',
    200,
    { 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': String((epoch + 9) * 1000) },
    ['', 4, 9],
  ],
  ['seconds from now', 200, { 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '9' }, ['', 4, 9]],
  ['a date', 200, { 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '2026-03-04T05:06:17Z' }, ['', 4, 10]],
  ['hyphenated names', 200, { 'x-rate-limit-remaining': '1', 'x-rate-limit-reset': String(epoch + 5) }, ['', 1, 5]],
  [
    'a named resource',
    200,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(epoch + 5), 'x-ratelimit-resource': 'search' },
    ['search', 0, 5],
  ],
  [
    'a bucket with fractions',
    200,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': '1.5', 'x-ratelimit-bucket': 'abcd1234' },
    ['abcd1234', 0, 1.5],
  ],
  ['a 429 that still counts', 429, { 'x-ratelimit-remaining': '7', 'x-ratelimit-reset': '9' }, ['', 0, 9]],
  ['a day, believed for an hour', 429, { 'retry-after': '86400' }, ['', 0, 3600]],
  ['a moment that is over', 200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(epoch - 5) }, undefined],
  ['nonsense', 200, { 'x-ratelimit-remaining': 'many', 'x-ratelimit-reset': '9' }, undefined],
  ['a negative count', 200, { 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': '9' }, undefined],
  ['joined values', 200, { 'x-ratelimit-remaining': '4, 100', 'x-ratelimit-reset': '9, 900' }, undefined],
  [
    'a name that is none',
    200,
    { 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '9', 'x-ratelimit-bucket': 'a b' },
    ['', 4, 9],
  ],
]
for (const [what, status, headers, told] of table) {
  it(`reads ${what}`, () => {
    const found = readRateLimit(status, new Map(Object.entries(headers)), now)
    const flat = found && [found.bucket, found.remaining, (found.resetsAt.getTime() - now.getTime()) / 1000]
    assert.deepEqual(flat, told)
  })
}
