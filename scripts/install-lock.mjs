/** Two starts at once must not install into the same folder. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** Longer than any installation; after that a process number is taken to belong to somebody else by now. */
const oldestMs = 15 * 60_000

/**
 * Runs `work` while holding the lock; waits for whoever holds it, and takes it over from a process that was killed.
 *
 * @param {string} folder the lock, a folder, since making one either works or fails for exactly one process
 * @param {() => Promise<void>} work
 */
export async function withInstallLock(folder, work) {
  mkdirSync(path.dirname(folder), { recursive: true })
  let told = false
  while (!take(folder)) {
    const holder = holderOf(folder)
    if (isAbandoned(folder, holder)) remove(folder, holder)
    else {
      if (!told) process.stderr.write('Another process is installing dependencies; waiting for it …\n')
      told = true
      await wait(200)
    }
  }
  try {
    await work()
  } finally {
    remove(folder, String(process.pid))
  }
}

/** @param {string} folder */
function take(folder) {
  try {
    mkdirSync(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
  writeFileSync(path.join(folder, 'pid'), String(process.pid))
  return true
}

/** @param {string} folder */
function holderOf(folder) {
  try {
    return readFileSync(path.join(folder, 'pid'), 'utf8')
  } catch {
    // The holder is between two steps.
    return ''
  }
}

/**
 * @param {string} folder
 * @param {string} holder
 */
function isAbandoned(folder, holder) {
  try {
    if (Date.now() - statSync(folder).mtimeMs > oldestMs) return true
    if (holder !== '') process.kill(Number(holder), 0)
    return false
  } catch (error) {
    // ESRCH: nobody has this number. Anything else: the lock is gone, or its holder is another user.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}

/**
 * Moves the lock aside before deleting it, and looks whose it was: of two processes that find it abandoned the slower
 * one would otherwise delete the lock of the faster one.
 *
 * @param {string} folder
 * @param {string} holder
 */
function remove(folder, holder) {
  const aside = `${folder}.${process.pid}`
  try {
    renameSync(folder, aside)
    if (holderOf(aside) === holder) rmSync(aside, { recursive: true, force: true })
    else renameSync(aside, folder)
  } catch {
    // Somebody else was faster.
  }
}
