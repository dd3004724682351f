/** The command was called wrongly; ends with exit code 2 and the command's usage. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CLIError'
  }
}
