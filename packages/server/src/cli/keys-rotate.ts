import { setTimeout as wait } from 'node:timers/promises'
import { composeFlows } from '../compose.ts'
import { isTerminal, SettingsError } from '../config.ts'
import { addDevelopmentKey } from '../development-secrets.ts'
import type { Context } from '../domain/context.ts'
import { countLeft, resealValues } from '../domain/reseal.ts'
import { carryOutRotation, orderKeyRotation, type OrderedRotation } from '../domain/rotate-keys.ts'
import { settle, type Settlement } from '../settle.ts'

interface Wanted {
  readonly what: 'all-keys' | 'data-keys'
  /** Whether values are sealed anew here. */
  readonly waits: boolean
}

/** `keys rotate`. Answers the exit code; throws `SettingsError` when the first key is retired. */
export async function rotateKeys(wanted: Wanted): Promise<number> {
  const settlement = await settle((message) => console.error(message))
  try {
    const code = await rotateWith(settlement, wanted)
    if (code !== 'needs-new-key') return code
    // Nobody else keeps the keys of a developer's machine.
    await addDevelopmentKey(settlement.settled.config.dataDir)
  } finally {
    await settlement.stopDatabase()
  }
  const renewed = await settle((message) => console.error(message))
  try {
    const code = await rotateWith(renewed, wanted)
    return code === 'needs-new-key' ? 1 : code
  } finally {
    await renewed.stopDatabase()
  }
}

async function rotateWith({ settled }: Settlement, wanted: Wanted): Promise<number | 'needs-new-key'> {
  const flows = composeFlows({ ...settled, ownProvider: undefined })
  try {
    const ordered = await orderKeyRotation(flows.context, wanted.what)
    const isGenerated = settled.config.encryptionKeys.length === 0
    if (ordered.kind === 'no-new-key' && isGenerated) return 'needs-new-key'
    return await carryOut(flows.context, ordered, wanted.waits)
  } finally {
    await flows.close()
  }
}

async function carryOut(context: Context, ordered: OrderedRotation, waits: boolean): Promise<number> {
  switch (ordered.kind) {
    case 'retired':
      throw new SettingsError([`ENCRYPTION_KEYS: the first key, ${ordered.keyId}, is retired; put a new one first`])
    case 'no-new-key':
      // A rotation that was ordered before may have values left.
      if (waits && (await sum(context)) > 0) return finish([], await resealAll(context))
      console.error(howToRotate(ordered.keyId))
      return 1
    case 'ordered':
    case 'continued':
  }
  const { order } = ordered
  show({ step: ordered.kind, key_id: order.keyId })
  const { progress, retired } = await carryOutRotation(context, order, (now) => {
    show({ step: 'data_keys', rewrapped: now.rewrapped, unreadable: now.unreadable, new_data_keys: now.newDataKeys })
  })
  if (!waits) {
    show({ step: 'done', retired, left_to_reseal: await sum(context) })
    return progress.unreadable > 0 ? 1 : 0
  }
  const code = finish(retired, await resealAll(context))
  return progress.unreadable > 0 ? 1 : code
}

function finish(retired: readonly string[], left: number): number {
  show({ step: 'done', retired, left_to_reseal: left })
  return left > 0 ? 1 : 0
}

const lookAgainMs = 500
/** Rounds without any progress: what is left then was altered, or its key is missing. */
const idleRounds = 60

/** Seals anew until nothing is left; answers what could not be. */
async function resealAll(context: Context): Promise<number> {
  let resealed = 0
  let idle = 0
  let left = await sum(context)
  while (left > 0 && idle < idleRounds) {
    const round = await resealValues(context)
    resealed += round.resealed
    const before = left
    left = await sum(context)
    show({ step: 'reseal', resealed, left_to_reseal: left })
    // Workers may have claimed what is left.
    idle = round.resealed > 0 || left < before ? 0 : idle + 1
    if (round.resealed === 0) await wait(lookAgainMs)
  }
  return left
}

async function sum(context: Context): Promise<number> {
  return [...(await countLeft(context)).values()].reduce((all, left) => all + left, 0)
}

/** A line that is written over on a terminal, JSON lines elsewhere. */
function show(progress: Readonly<Record<string, string | number | readonly string[]>>): void {
  if (!isTerminal()) {
    console.log(JSON.stringify(progress))
    return
  }
  const { step, ...figures } = progress
  const words = Object.entries(figures).map(([name, value]) => `${name.replaceAll('_', ' ')} ${String(value)}`)
  process.stdout.write(
    `\r\u001b[K${String(step)}: ${words.join(', ')}${step === 'data_keys' || step === 'reseal' ? '' : '\n'}`,
  )
}

function howToRotate(keyId: string): string {
  return [
    `The first of ENCRYPTION_KEYS, ${keyId}, is the key in use. To rotate to a new one:`,
    '  1. Make a key: connector-oauth keys generate',
    '  2. Add it at the end of ENCRYPTION_KEYS and restart every process, so that each can open what it will wrap.',
    '  3. Move it to the front of ENCRYPTION_KEYS and restart every process.',
    '  4. Run this command again.',
    '  5. When connector-oauth keys status shows the old key as retired, take it out of ENCRYPTION_KEYS.',
    'For new data keys under the same key: connector-oauth keys rotate --data-keys-only',
  ].join('\n')
}
