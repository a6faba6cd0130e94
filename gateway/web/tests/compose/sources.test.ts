import { expect, it } from 'vitest';
import { addressesIn, missingBy, rejectedCsv } from '../../src/compose/sources';
import type { FileSource } from '../../src/compose/sources';

const result = { accepted: 10, duplicates: 0, rejected: [], rejectedCount: 0 };
const column = (name: string | null, empty: number) => ({ title: 't', name, empty, first: '' });
const file: FileSource = {
  kind: 'file',
  id: 'a',
  name: 'leads.csv',
  file: new Blob(),
  scan: { rows: 10, columns: [column(null, 0), column('company', 3)], emailAt: 0, isHeaded: true, delimiter: ',', encoding: 'utf-8' },
  mapping: [null, 'company'],
  without: [],
  result,
};

it('finds addresses however they are set apart, each once', () => {
  expect(addressesIn('Ann <ann@x.example>; bob@y.example,\nANN@x.example')).toEqual({ addresses: ['ANN@x.example', 'bob@y.example'], isTable: false });
});

it('takes a pasted table for a table', () => {
  expect(addressesIn('email,name,company\na@x.example,Ann,Ymir\nb@x.example,Bob,Acme').isTable).toBe(true);
});

it('counts who lacks a variable over all sources; typed addresses have none', () => {
  expect(missingBy(['company', 'x'], [file, { kind: 'typed', id: 'b', addresses: ['c@x.example'], result: { ...result, accepted: 1 } }])).toEqual(new Map([['company', 4], ['x', 11]]));
  expect(missingBy(['company'], [{ ...file, without: ['company'] }]).get('company')).toBe(0);
});

it('writes rows left out so that no spreadsheet runs them', () => {
  expect(rejectedCsv([{ line: 3, value: '=cmd()', reason: 'no "@"' }])).toBe('line,value,reason\r\n3,"\'=cmd()","no ""@"""');
});
