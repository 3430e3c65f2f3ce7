import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { OpenTo } from '#access';
import type { Role } from '#slice';
import { capabilities } from '../capabilities.js';
import { permissionsOfThisVersion } from './engine.module.js';
import { permissionMatrix, type Permission } from './permissions.js';

const matrix = permissionsOfThisVersion();
const commandsOf = (role: Role): readonly string[] =>
  matrix.filter(({ kind, roles }) => kind === 'command' && roles.includes(role)).map(({ name }) => name);
const addressesOf = (role: Role): readonly string[] =>
  matrix.filter(({ kind, roles }) => kind === 'address' && roles.includes(role)).map(({ name }) => name);
const unruled = (permissions: readonly Permission[]): readonly string[] =>
  permissions.filter(({ roles }) => roles.length === 0).map(({ name }) => name);

@Controller('v1/forgotten')
class Forgotten {
  @Get(':id')
  @OpenTo('staff')
  thoughtOf(): void {}

  @Get()
  notThoughtOf(): void {}
}

describe('the permission matrix', () => {
  it('is the one on file: who may do more, or less, than before is seen when it is reviewed', () => {
    // `npm run build && node dist/apps/cli/main.js permissions > apps/engine/permissions.json` and Prettier write it.
    const onFile = JSON.parse(readFileSync(join(import.meta.dirname, 'permissions.json'), 'utf8')) as object;
    expect({ permissions: matrix }).toEqual(onFile);
  });

  it('has a rule for every door, each door once', () => {
    expect(matrix.length).toBeGreaterThan(150);
    expect(unruled(matrix)).toEqual([]);
    const names = matrix.map(({ kind, name }) => `${kind} ${name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('would show a door that nobody thought of', () => {
    const found = permissionMatrix(capabilities, [Forgotten]);
    expect(found.filter(({ name }) => name.includes('forgotten'))).toEqual([
      { kind: 'address', name: 'GET /v1/forgotten/:id', roles: ['staff'] },
      { kind: 'address', name: 'GET /v1/forgotten', roles: [] },
    ]);
    expect(unruled(found)).toEqual(['GET /v1/forgotten']);
  });
});

/** Table 6.9 of the domain, by what each role may not. */
describe('the matrix lets', () => {
  const DECIDES =
    /^(Approve|Reject|Grant|Lift|Withdraw(?!Consent)|Review|Define|Suspend|Resume|Retire|Draft|End(?!AccountingPeriod|PurposeForItem))/;
  /** What engine parts do in their own time, or write down in somebody's name; a person who does the same is a privacy officer. */
  const SCHEDULED =
    /^(Draw|Raise|Expire|Confirm|Check|Review|Remind|Remove|Open|Close|Share|Record|Report|End|Erase|Finalise|Restate|Lapse)/;
  const PERSONAL = /^GET \/v1\/subjects\/:subjectId\//;

  it('a service do its work, and neither browse nor decide', () => {
    expect(commandsOf('service')).toEqual(
      expect.arrayContaining(['CollectData', 'AuthoriseUse', 'ReportUse', 'ShareData', 'RecordUsage']),
    );
    expect(commandsOf('service').filter((name) => DECIDES.test(name))).toEqual([]);
    expect(addressesOf('service').filter((name) => /\/(registers|who-held-what|refusals)/.test(name))).toEqual([]);
    expect(addressesOf('service').filter((name) => name.includes(':'))).toEqual([
      'GET /v1/subjects/:subjectId/consents/receipt',
    ]);
  });

  it('staff ask and take in, and approve, grant and lift nothing', () =>
    expect(commandsOf('staff').filter((name) => DECIDES.test(name))).toEqual([]));

  it('legal keep instruments, and nobody else', () => {
    for (const { name, roles } of matrix.filter(({ name }) => /Instrument/.test(name)))
      expect([name, roles]).toEqual([name, ['legal']]);
  });

  it('an auditor read and send nothing', () => {
    // It is bound to be refused for what it is, and on record: AUDITOR_NO_PLAINTEXT.
    expect(commandsOf('auditor')).toEqual(['ViewPersonalData']);
    const writes = addressesOf('auditor').filter((name) => !name.startsWith('GET '));
    expect(writes).toEqual(['DELETE /v1/session', 'POST /v1/notices/assessment', 'POST /v1/searches']);
  });

  it('a security officer watch over access, incidents, backups and disruptions, and see nothing of people', () => {
    expect([...commandsOf('securityOfficer')].sort()).toEqual([
      'RecordRestoreTest',
      'RecordServiceDisruption',
      'ReviewAccess',
      'RevokeAllAccess',
    ]);
    expect(addressesOf('securityOfficer').filter((name) => name.includes('subject'))).toEqual([]);
  });

  it('an operator let people in and out, keep the service up, and open and decide nothing within', () => {
    expect([...commandsOf('operator')].sort()).toEqual([
      'RecordRestoreTest',
      'RecordServiceDisruption',
      'RevokeAllAccess',
    ]);
    expect(addressesOf('operator').filter((name) => /subjects|registers|refusals/.test(name))).toEqual([]);
    for (const { name, roles } of matrix.filter(({ name }) => /\/(tokens|accounts|actors)/.test(name)))
      expect([name, roles]).toEqual([name, ['operator']]);
  });

  it('a person and who acts for one pass where the address or the command names the person', () => {
    for (const role of ['subject', 'agent'] as const) {
      expect(addressesOf(role).length).toBeGreaterThan(3);
      expect(addressesOf(role).filter((name) => !PERSONAL.test(name))).toEqual([]);
      expect(commandsOf(role)).toEqual(
        expect.arrayContaining(['WithdrawConsent', 'RefuseConsent', 'ObjectToMarketing', 'ReportChange']),
      );
    }
  });

  it('the engine itself do what is scheduled', () => {
    expect(commandsOf('system').filter((name) => !SCHEDULED.test(name))).toEqual([]);
    expect(addressesOf('system')).toEqual([]);
  });

  it('anybody read what is published, sign in, and see whether it runs', () =>
    expect(
      matrix.filter(({ roles }) => (roles as readonly string[]).includes('anyone')).map(({ name }) => name),
    ).toEqual([
      'GET /docs/openapi.json',
      'GET /docs',
      'GET /docs/page.js',
      'GET /docs/page.css',
      'GET /docs/icon.svg',
      'GET /health/live',
      'GET /health/ready',
      'POST /v1/session/enrol',
      'POST /v1/session',
      'GET /v1/notices/:noticeId',
      'GET /v1/collection-points/:collectionPointId',
    ]));
});
