/** Splits CSV text that arrives in pieces into rows, as the gateway does: quotes, CR, LF and CRLF, blank lines are none. */

export interface Row {
  /** Of the file, from 1: where the row starts. */
  line: number;
  fields: string[];
}

/** A field that is longer is a quote that was never closed: the gateway's own limit. */
export const MAX_FIELD_CHARS = 64 * 1024;

export class CsvError extends Error {
  constructor(
    readonly line: number,
    message: string,
  ) {
    super(message);
  }
}

const [QUOTE, CR, LF] = [34, 13, 10];

export class RowReader {
  private line = 1;
  private rowLine = 1;
  private fields: string[] = [];
  private field = '';
  private isQuoted = false;
  /** Just behind a closing quote: another one is a quote in the text. */
  private wasQuoted = false;
  private afterCr = false;
  private isBlank = true;

  constructor(
    readonly delimiter: string,
    private readonly onRow: (row: Row) => void,
  ) {}

  /** Takes the next piece.
   * @throws {CsvError} a quote is not closed
   */
  feed(text: string): void {
    const delimiter = this.delimiter.charCodeAt(0);
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.isQuoted) {
        if (code === LF ? !this.afterCr : code === CR) this.line++;
        this.afterCr = code === CR;
        if (code !== QUOTE) continue;
        this.take(text, from, at);
        from = at + 1;
        this.isQuoted = false;
        this.wasQuoted = true;
        continue;
      }
      if (code !== delimiter && code !== QUOTE && code !== CR && code !== LF) {
        this.isBlank = this.isBlank && (code === 32 || code === 9);
        this.wasQuoted = this.afterCr = false;
        continue;
      }
      if (code === QUOTE) {
        if (this.wasQuoted) {
          this.field += '"';
          this.isQuoted = true;
          from = at + 1;
        } else if (this.field === '' && from === at) {
          this.isQuoted = true;
          from = at + 1;
        }
        this.isBlank = this.wasQuoted = this.afterCr = false;
        continue;
      }
      this.take(text, from, at);
      from = at + 1;
      this.wasQuoted = false;
      if (code === delimiter) {
        this.endField();
        this.isBlank = this.afterCr = false;
      } else if (code === LF && this.afterCr) {
        this.afterCr = false;
        this.rowLine = this.line;
      } else {
        this.endRow();
        this.line++;
        this.rowLine = this.line;
        this.afterCr = code === CR;
      }
    }
    this.take(text, from, text.length);
  }

  /** The last row, once all was fed. */
  finish(): void {
    if (this.isQuoted) throw new CsvError(this.rowLine, `a quote that is opened in line ${this.rowLine} is not closed`);
    this.endRow();
  }

  private take(text: string, from: number, to: number) {
    if (to > from) this.field += text.slice(from, to);
    if (this.field.length > MAX_FIELD_CHARS) throw new CsvError(this.rowLine, `a field in line ${this.rowLine} is longer than 64 Ki characters; is a quote not closed?`);
  }

  private endField() {
    this.fields.push(this.field);
    this.field = '';
  }

  private endRow() {
    const isRow = this.fields.length > 0 || !this.isBlank;
    this.endField();
    if (isRow) this.onRow({ line: this.rowLine, fields: this.fields });
    this.fields = [];
    this.isBlank = true;
  }
}

/** Which of comma, semicolon and tab a header is written with. */
export function delimiterOf(line: string): string {
  const plain = line.replace(/"[^"]*"?/g, '');
  const times = (mark: string) => plain.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (times(mark) > times(best) ? mark : best));
}
