/** Fetches the composer's files before they are asked for: a pointer or the focus is on the way to it. */
export function fetchComposer(): void {
  void import('../routes/compose/Compose').catch(() => undefined);
  void import('../routes/compose/Writing').catch(() => undefined);
}
