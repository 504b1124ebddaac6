import { expect, test } from 'vitest'
import { parseListing } from '#lib/adapters/native/listing.ts'

const LIST = `;
; Archive created at 2026-11-21 03:00:00 UTC
;     dbname: shop: the second
;     TOC Entries: 5
;     Format: CUSTOM
;     Dumped from database version: 15.18 (Debian 15.18-0+deb12u1)
;     Dumped by pg_dump version: 15.18 (Debian 15.18-0+deb12u1)
;
;
; Selected TOC Entries:
;
216; 1259 16389 TABLE public users postgres
3352; 0 16389 TABLE DATA public users postgres
3351; 0 0 SEQUENCE SET public users_id_seq postgres
`

test('counts entries and tables with rows', () => {
  expect(parseListing(LIST)).toEqual({
    entryCount: 3,
    tableCount: 1,
    serverVersion: '15.18 (Debian 15.18-0+deb12u1)',
    databaseName: 'shop: the second',
  })
})

test('refuses what is no list', () => {
  expect(() => parseListing('')).toThrow('no table of contents')
})
