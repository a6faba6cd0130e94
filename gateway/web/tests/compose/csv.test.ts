import { describe, expect, it } from 'vitest';
import { namesOf, remapped, shapeOf } from '../../src/compose/csv/columns';
import { rewrite, scan } from '../../src/compose/csv/list';
import { RowReader } from '../../src/compose/csv/reader';
import type { Row } from '../../src/compose/csv/reader';

function read(text: string, piece: number, delimiter = ','): Row[] {
  const rows: Row[] = [];
  const reader = new RowReader(delimiter, (row) => rows.push(row));
  for (let at = 0; at < text.length; at += piece) reader.feed(text.slice(at, at + piece));
  reader.finish();
  return rows;
}

const TRICKY = 'a,"b ""c"", d"\r\n\r\n"x\r\ny",\n  \nlast,row\rno,end';

describe('rows', () => {
  it('are the same in whatever pieces they come', () => {
    const whole = read(TRICKY, TRICKY.length);

    expect(whole).toEqual([
      { line: 1, fields: ['a', 'b "c", d'] },
      { line: 3, fields: ['x\r\ny', ''] },
      { line: 6, fields: ['last', 'row'] },
      { line: 7, fields: ['no', 'end'] },
    ]);
    for (let piece = 1; piece < 9; piece++) expect(read(TRICKY, piece)).toEqual(whole);
  });

  it('end with an error where a quote is not closed', () => {
    expect(() => read('a\n"b', 3)).toThrow('line 2');
  });
});

describe('columns', () => {
  it('become variables with names that the API takes, none twice', () => {
    expect(namesOf(['First name', 'Größe', 'E-Mail', '1st', 'first_name', 'email'], 2)).toEqual(['first_name', 'grosse', null, 'column_4', 'first_name_2', 'email_2']);
  });

  it('hold addresses where their title says so, else where most values are some', () => {
    expect(shapeOf([['Name', 'E-mail'], ['Ann', 'a@x.example']])).toMatchObject({ isHeaded: true, emailAt: 1 });
    expect(shapeOf([['Kontakt', 'x'], ['a@x.example', '1']])).toMatchObject({ isHeaded: true, emailAt: 0 });
    expect(shapeOf([['a@x.example'], ['b@x.example']])).toMatchObject({ isHeaded: false, emailAt: 0, titles: ['Column 1'] });
    expect(shapeOf([['Name', 'Age'], ['Ann', '3']]).emailAt).toBe(-1);
  });

  it('give up a name that another column takes', () => {
    expect(remapped([null, 'a', 'b'], 2, 'a')).toEqual([null, null, 'a']);
  });
});

const LEADS = 'First name;E-mail;Company;LinkedIn\nInés;ines@b.example;"Bright;moor, Inc";in/ines\n\nBob;bob@x.example;;\nBob;BOB@x.example;;\nEve;n/a;;\n"Zoë\nB";zoe@y.example;Ymir;\n';

describe('a list', () => {
  it('tells rows, columns and who lacks what, each recipient once', async () => {
    const found = await scan(new Blob([LEADS]));

    expect(found).toMatchObject({ rows: 5, emailAt: 1, isHeaded: true, delimiter: ';', encoding: 'utf-8' });
    expect(found.columns.map(({ name, empty, first }) => [name, empty, first])).toEqual([
      ['first_name', 0, 'Inés'],
      [null, 0, 'ines@b.example'],
      ['company', 1, 'Bright;moor, Inc'],
      ['linkedin', 2, 'in/ines'],
    ]);
  });

  it('is written with the header of its mapping, each row on its own line', async () => {
    const found = await scan(new Blob([LEADS]));
    const written = await rewrite(new Blob([LEADS]), found, { mapping: ['name', null, 'company', null], without: [] });

    expect(await written.text()).toBe('name,email,company\nInés,ines@b.example,"Bright;moor, Inc"\n\nBob,bob@x.example,\nBob,BOB@x.example,\nEve,n/a,\n"Zoë\nB",zoe@y.example,Ymir\n');
  });

  it('leaves rows out that lack a variable, and moves no other', async () => {
    const found = await scan(new Blob([LEADS]));
    const written = await rewrite(new Blob([LEADS]), found, { mapping: ['name', null, 'company', null], without: ['company'] });

    expect(await written.text()).toBe('name,email,company\nInés,ines@b.example,"Bright;moor, Inc"\n\n\n\n\n"Zoë\nB",zoe@y.example,Ymir\n');
  });

  it('may have no header: one address a line', async () => {
    const file = new Blob(['a@x.example\nb@x.example\n']);
    const found = await scan(file);
    const written = await rewrite(file, found, { mapping: [null], without: [] });

    expect(found).toMatchObject({ rows: 2, isHeaded: false });
    expect(await written.text()).toBe('email\na@x.example\nb@x.example\n');
  });

  it('is read as Windows or Excel saved it', async () => {
    const windows = new Blob([new Uint8Array([...'email,n\na@x.example,Zo'].map((each) => each.charCodeAt(0))), new Uint8Array([0xeb])]);
    const utf16 = new Blob([new Uint8Array([0xff, 0xfe]), new Uint8Array(new Uint16Array([...'email\na@x.example'].map((each) => each.charCodeAt(0))).buffer)]);

    expect((await scan(windows)).columns[1]?.first).toBe('Zoë');
    expect((await scan(utf16)).rows).toBe(1);
  });

  it('is refused where it is none', async () => {
    await expect(scan(new Blob(['PK\x03\x04']))).rejects.toThrow('Excel');
    await expect(scan(new Blob(['just\nwords\n']))).rejects.toThrow('no column');
    await expect(scan(new Blob([]))).rejects.toThrow('empty');
  });
});
