import { describe, expect, it } from '@jest/globals';
import { canonicalJson, instant, type DomainEvent } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import type { DataShared } from './disclosure.events.js';
import { disclosuresProjection } from './disclosure.projection.js';
import { whoHeldWhatProjection } from './who-held-what.projection.js';
import { whoHeldWhat, type HolderAsOf, type WhoHeldWhatRows } from './who-held-what.query.js';

const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const [email, phone] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'] as const;

const collected: DomainEvent = {
  type: 'DataCollected',
  data: {
    subjectId,
    purposeId: 'deliver-service',
    purposeVersion: 3,
    basis: 'contract',
    items: [
      { itemId: email, version: 1, category: 'contact.email' },
      { itemId: phone, version: 1, category: 'contact.phone' },
    ],
  },
};
const corrected = (fromVersion: number, recipientsToNotify: readonly string[] = []): DomainEvent => ({
  type: 'DataCorrected',
  data: {
    subjectId,
    itemId: phone,
    category: 'contact.phone',
    fromVersion,
    toVersion: fromVersion + 1,
    recipientsToNotify,
  },
});
const given = (recipientId: string, version: number, changes: Partial<DataShared['data']> = {}): DataShared => ({
  type: 'DataShared',
  data: {
    disclosureId: `${recipientId} ${version}`,
    subjectId,
    recipientId,
    recipientKind: 'GROUP',
    purposeId: 'deliver-service',
    purposeVersion: 3,
    categories: ['contact.phone'],
    items: [{ itemId: phone, version, category: 'contact.phone' }],
    basis: 'contract',
    medium: 'api',
    subjectCount: 1,
    ...changes,
  },
});
const told = (recipientId: string, version: number, outcome = 'notified'): DomainEvent => ({
  type: 'RecipientNotified',
  data: { subjectId, recipientId, what: 'correction', items: [{ itemId: phone, version }], outcome },
});
const ended = (type: 'RetentionExpired' | 'DataErased', version: number): DomainEvent => ({
  type,
  data: { subjectId, items: [{ itemId: phone, version, category: 'contact.phone', keyId: 'k' }] },
});

/** What happened when, and the question about it. */
function story(...events: readonly (readonly [happened: string, event: DomainEvent, written?: string])[]) {
  const log = logbook();
  for (const [happened, event, written] of events) log.at(happened, event, written);
  const rows = tablesOf(whoHeldWhatProjection, log.events) as WhoHeldWhatRows;
  return {
    log,
    rows,
    asOf: (at: string, more: { knownAt?: string; ended?: boolean } = {}) =>
      whoHeldWhat(rows, {
        at: instant(at),
        ...(more.knownAt !== undefined && { knownAt: instant(more.knownAt) }),
        ...(more.ended !== undefined && { ended: more.ended }),
      }),
  };
}

const inShort = (holders: readonly HolderAsOf[], itemId: string = phone) =>
  holders
    .filter((each) => each.itemId === itemId)
    .map(({ holderId, version, use, notified }) => `${holderId} v${version} ${use}${notified ? ` ${notified}` : ''}`);

describe('who held what', () => {
  const yesterday = '2026-11-22T09:00:00Z';
  const today = '2026-11-23T09:00:00Z';
  const asha = story(
    ['2026-01-05T09:00:00Z', collected],
    ['2026-03-01T09:00:00Z', given('chersoft-marine', 1)],
    ['2026-11-23T08:00:00Z', corrected(1, ['chersoft-marine'])],
    ['2026-11-23T08:30:00Z', told('chersoft-marine', 2)],
  );

  it('says version 1 yesterday, version 2 today, and that the group company was told (C21)', () => {
    expect(inShort(asha.asOf(yesterday))).toEqual(['controller v1 inUse', 'chersoft-marine v1 inUse']);
    expect(inShort(asha.asOf('2026-11-23T08:10:00Z'))).toEqual([
      'controller v1 superseded',
      'chersoft-marine v1 superseded due',
      'controller v2 inUse',
    ]);
    expect(inShort(asha.asOf(today))).toEqual([
      'controller v1 superseded',
      'chersoft-marine v1 superseded notified',
      'controller v2 inUse',
    ]);
    expect(inShort(asha.asOf(today), email)).toEqual(['controller v1 inUse']);
  });

  it('says for which purpose, on which basis, since when and by which event', () => {
    const [correction, answer] = [asha.log.events[2]!, asha.log.events[3]!];
    const [old, copy, current] = asha.asOf(today).filter((each) => each.itemId === phone);
    expect(old?.useSince).toEqual({
      at: '2026-11-23T08:00:00.000Z',
      recordedAt: '2026-11-23T08:00:00.000Z',
      position: 3,
      eventId: correction.id,
    });
    expect(copy).toMatchObject({
      holderKind: 'GROUP',
      category: 'contact.phone',
      disclosureId: 'chersoft-marine 1',
      from: { at: '2026-03-01T09:00:00.000Z', position: 2 },
      notifiedSince: { eventId: answer.id },
    });
    expect(current).toMatchObject({
      holderKind: 'CONTROLLER',
      purposeId: 'deliver-service',
      purposeVersion: 3,
      basis: 'contract',
      basisRef: null,
      from: { eventId: correction.id },
      to: null,
    });
  });

  it('counts the moment of a change to what comes after it', () => {
    expect(asha.asOf('2026-01-05T08:59:59.999Z')).toEqual([]);
    expect(inShort(asha.asOf('2026-01-05T09:00:00Z'))).toEqual(['controller v1 inUse']);
    expect(inShort(asha.asOf('2026-11-23T08:00:00Z'))).toContain('controller v1 superseded');
  });

  it('gives the same answer whatever order the rows come in', () => {
    const reversed: WhoHeldWhatRows = {
      held_versions: [...asha.rows.held_versions].reverse(),
      held_purposes: [...asha.rows.held_purposes].reverse(),
      held_copies: [...asha.rows.held_copies].reverse(),
      held_copy_notices: [...asha.rows.held_copy_notices].reverse(),
    };
    expect(canonicalJson(whoHeldWhat(reversed, { at: instant(today) }))).toBe(canonicalJson(asha.asOf(today)));
  });

  it('names the instrument that a disclosure rests on', () => {
    const { asOf } = story(
      ['2026-01-05T09:00:00Z', collected],
      ['2026-06-01T09:00:00Z', given('devon-police', 1, { recipientKind: 'AUTHORITY', instrumentId: 'order-2026-17' })],
    );
    expect(asOf(today).find((each) => each.holderKind === 'AUTHORITY')).toMatchObject({ basisRef: 'order-2026-17' });
  });

  it('follows a value beyond use and to its erasure; copies stay where they are', () => {
    const { asOf } = story(
      ['2026-01-05T09:00:00Z', collected],
      ['2026-02-01T09:00:00Z', given('chersoft-marine', 1)],
      ['2026-03-01T09:00:00Z', ended('RetentionExpired', 1)],
      ['2026-03-02T09:00:00Z', ended('DataErased', 1)],
    );
    expect(inShort(asOf('2026-03-01T12:00:00Z'))).toEqual(['controller v1 expired', 'chersoft-marine v1 inUse']);
    expect(inShort(asOf('2026-03-02T09:00:00Z'))).toEqual(['chersoft-marine v1 inUse']);
    const all = asOf('2026-03-02T09:00:00Z', { ended: true });
    expect(inShort(all)).toEqual(['controller v1 erased', 'chersoft-marine v1 inUse']);
    expect(all.find((each) => each.itemId === phone)).toMatchObject({ to: { at: '2026-03-02T09:00:00.000Z' } });
  });

  it('ends a copy when its holder has confirmed that it was erased, and those of the item before it, and no other', () => {
    const confirmed = (recipientId: string, version: number, what = 'erasure'): DomainEvent => ({
      type: 'RecipientConfirmed',
      data: { subjectId, recipientId, what, items: [{ itemId: phone, version }] },
    });
    const { asOf } = story(
      ['2026-01-05T09:00:00Z', collected],
      ['2026-02-01T09:00:00Z', given('chersoft-marine', 1)],
      ['2026-02-01T10:00:00Z', given('chersoft-pacific', 1)],
      ['2026-02-02T09:00:00Z', corrected(1, ['chersoft-marine', 'chersoft-pacific'])],
      ['2026-02-03T09:00:00Z', given('chersoft-marine', 2)],
      ['2026-02-04T09:00:00Z', confirmed('chersoft-pacific', 2, 'correction')],
      ['2026-03-02T09:00:00Z', confirmed('chersoft-pacific', 1)],
      ['2026-04-02T09:00:00Z', confirmed('chersoft-marine', 2)],
    );
    const copies = (at: string) => inShort(asOf(at)).filter((each) => !each.startsWith('controller'));
    const marine = ['chersoft-marine v1 superseded notified', 'chersoft-marine v2 inUse'];
    expect(copies('2026-03-01T09:00:00Z')).toEqual([marine[0], 'chersoft-pacific v1 superseded due', marine[1]]);
    expect(copies('2026-03-02T09:00:00Z')).toEqual(marine);
    expect(copies('2026-04-02T09:00:00Z')).toEqual([]);
    const all = asOf('2026-04-02T09:00:00Z', { ended: true }).filter(({ holderKind }) => holderKind === 'GROUP');
    expect(all.map(({ holderId, version, use, to }) => [holderId, version, use, to?.at])).toEqual([
      ['chersoft-marine', 1, 'erased', '2026-04-02T09:00:00.000Z'],
      ['chersoft-pacific', 1, 'erased', '2026-03-02T09:00:00.000Z'],
      ['chersoft-marine', 2, 'erased', '2026-04-02T09:00:00.000Z'],
    ]);
  });

  it('keeps a superseded value in sight until its own retention ends', () => {
    const { asOf } = story(
      ['2026-01-05T09:00:00Z', collected],
      ['2026-02-01T09:00:00Z', corrected(1)],
      ['2026-03-01T09:00:00Z', ended('RetentionExpired', 1)],
      ['2026-03-02T09:00:00Z', ended('DataErased', 1)],
    );
    expect(inShort(asOf('2026-02-02T09:00:00Z'))).toEqual(['controller v1 superseded', 'controller v2 inUse']);
    expect(inShort(asOf('2026-03-01T10:00:00Z'))).toEqual(['controller v1 expired', 'controller v2 inUse']);
    expect(inShort(asOf(today))).toEqual(['controller v2 inUse']);
  });

  it.each(['impossible', 'disproportionate'])('says that telling a recipient was %s', (outcome) => {
    const { asOf } = story(
      ['2026-01-05T09:00:00Z', collected],
      ['2026-02-01T09:00:00Z', given('chersoft-marine', 1)],
      ['2026-03-01T09:00:00Z', corrected(1, ['chersoft-marine'])],
      ['2026-03-02T09:00:00Z', told('chersoft-marine', 2, outcome)],
    );
    expect(inShort(asOf(today))).toContain(`chersoft-marine v1 superseded ${outcome}`);
  });

  it('asks again for every further correction', () => {
    const { asOf } = story(
      ['2026-01-05T09:00:00Z', collected],
      ['2026-02-01T09:00:00Z', given('chersoft-marine', 1)],
      ['2026-03-01T09:00:00Z', corrected(1, ['chersoft-marine'])],
      ['2026-03-02T09:00:00Z', told('chersoft-marine', 2)],
      ['2026-04-01T09:00:00Z', corrected(2, ['chersoft-marine'])],
      ['2026-04-02T09:00:00Z', told('chersoft-marine', 3)],
    );
    const copy = (at: string) => inShort(asOf(at)).find((line) => line.startsWith('chersoft-marine'));
    expect(copy('2026-03-15T09:00:00Z')).toBe('chersoft-marine v1 superseded notified');
    expect(copy('2026-04-01T12:00:00Z')).toBe('chersoft-marine v1 superseded due');
    expect(copy(today)).toBe('chersoft-marine v1 superseded notified');
  });

  it('takes a recipient for told that was given the new value since', () => {
    const { asOf } = story(
      ['2026-01-05T09:00:00Z', collected],
      ['2026-02-01T09:00:00Z', given('chersoft-marine', 1)],
      ['2026-03-01T09:00:00Z', corrected(1, ['chersoft-marine'])],
      ['2026-03-05T09:00:00Z', given('chersoft-marine', 2)],
    );
    expect(inShort(asOf(today))).toEqual([
      'controller v1 superseded',
      'chersoft-marine v1 superseded notified',
      'controller v2 inUse',
      'chersoft-marine v2 inUse',
    ]);
  });

  it('owes word to a recipient whose copy was recorded after the correction', () => {
    const late = [
      ['2026-01-05T09:00:00Z', collected],
      ['2026-03-01T09:00:00Z', corrected(1)],
      ['2026-02-01T09:00:00Z', given('chersoft-marine', 1), '2026-03-02T09:00:00Z'],
    ] as const;
    expect(inShort(story(...late).asOf(today))).toContain('chersoft-marine v1 superseded due');
    const { asOf } = story(...late, ['2026-03-03T09:00:00Z', told('chersoft-marine', 2)]);
    expect(inShort(asOf(today))).toContain('chersoft-marine v1 superseded notified');
  });

  it('owes the person no word about their own copy', () => {
    const { asOf } = story(
      ['2026-01-05T09:00:00Z', collected],
      ['2026-02-01T09:00:00Z', given('self', 1, { recipientKind: 'SELF' })],
      ['2026-03-01T09:00:00Z', corrected(1)],
    );
    expect(inShort(asOf(today))).toContain('self v1 superseded');
  });

  it('answers as it would have been answered then', () => {
    const { asOf } = story(
      ['2026-01-05T09:00:00Z', collected],
      ['2026-02-01T09:00:00Z', given('chersoft-marine', 1), '2026-02-10T09:00:00Z'],
      ['2026-02-02T09:00:00Z', corrected(1), '2026-02-11T09:00:00Z'],
    );
    const at = '2026-02-05T09:00:00Z';
    expect(inShort(asOf(at, { knownAt: at }))).toEqual(['controller v1 inUse']);
    expect(inShort(asOf(at, { knownAt: '2026-02-10T09:00:00Z' }))).toEqual([
      'controller v1 inUse',
      'chersoft-marine v1 inUse',
    ]);
    expect(inShort(asOf(at))).toContain('controller v2 inUse');
  });
});

describe('the ledger of disclosures', () => {
  it('has a row for each item, also when a disclosure is about several people', () => {
    const { at, events } = logbook();
    const disclosureId = 'annual-return';
    at('2026-02-01T09:00:00Z', given('hmrc', 1, { disclosureId, instrumentId: 'return-2026' }));
    at('2026-02-01T09:00:00Z', given('hmrc', 1, { disclosureId, subjectId: email }));
    expect(tablesOf(disclosuresProjection, events).disclosures).toMatchObject([
      {
        disclosure_id: disclosureId,
        subject_id: subjectId,
        item_id: phone,
        item_version: 1,
        instrument_id: 'return-2026',
      },
      { disclosure_id: disclosureId, subject_id: email, instrument_id: null },
    ]);
  });
});
