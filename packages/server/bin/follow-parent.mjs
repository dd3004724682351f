/**
 * Preloaded into a server that was started by another process: when that one is killed, so is the server.
 *
 * Otherwise a `kill -9` of `npm start` would leave a server behind that keeps the port.
 */
if (process.channel) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  // The channel alone is no reason to stay alive.
  process.channel.unref()
}
