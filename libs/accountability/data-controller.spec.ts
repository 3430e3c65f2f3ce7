import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant } from '#kernel';
import { factsAt, logbook, NOW, registerOf, scenario, tablesOf } from '#kernel/testing';
import { readCommand } from '#slice';
import { DescribeController } from './data-controller.commands.js';
import { controllerDecider } from './data-controller.decider.js';
import type { ControllerDescribed, ControllerEvent } from './data-controller.events.js';
import { controllersProjection } from './data-controller.projection.js';
import { controllerRegister, controllersAsOf } from './data-controller.register.js';

const said = {
  controllerId: 'example',
  name: 'Example Ltd (fictional)',
  postalAddress: '1 Example Street',
  email: 'privacy@example.test',
  dataProtectionOfficer: { role: 'Data protection officer', email: 'officer@example.test' },
  authority: "Information Commissioner's Office",
  security: 'Values are sealed before they are stored.',
};
const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: factsAt().actor };

const describeIt = (changes: Partial<DescribeController> = {}): DescribeController => ({
  ...sent,
  type: 'DescribeController',
  ...said,
  ...changes,
});
const described = (changes: Partial<ControllerDescribed['data']> = {}): ControllerDescribed => ({
  type: 'ControllerDescribed',
  data: { ...said, version: 1, effectiveFrom: NOW, ...changes },
});

const { given, when } = scenario(controllerDecider, factsAt());

describe('describing the controller', () => {
  it('is recorded', () => when(describeIt()).then(described()));

  it('happens once, whatever date it is sent with', () => {
    given(described()).when(describeIt()).thenNothing();
    given(described())
      .when(describeIt({ effectiveFrom: '2027-01-01T00:00:00Z' }))
      .thenNothing();
  });

  it('counts its versions', () =>
    given(described())
      .when(describeIt({ postalAddress: '2 Example Street' }))
      .then(described({ version: 2, postalAddress: '2 Example Street' })));

  it('reaches back only the first time', () => {
    const long = { effectiveFrom: '2018-05-25T00:00:00+01:00' };
    when(describeIt(long)).then(described({ effectiveFrom: instant('2018-05-24T23:00:00Z') }));
    given(described())
      .when(describeIt({ ...long, name: 'Example plc (fictional)' }))
      .then(described({ version: 2, name: 'Example plc (fictional)' }));
  });

  it('does nothing when an accepted command is sent again', () => {
    const command = fc
      .record(
        {
          name: fc.constantFrom('A', 'B'),
          effectiveFrom: fc.constantFrom('2018-05-25T00:00:00Z', '2027-01-01T00:00:00Z'),
          dataProtectionOfficer: fc.constantFrom(said.dataProtectionOfficer, { role: 'Another', email: 'a@b.test' }),
        },
        { requiredKeys: ['name'] },
      )
      .map(describeIt);
    fc.assert(
      fc.property(fc.array(command, { maxLength: 8 }), (commands) => {
        let history: ControllerEvent[] = [];
        for (const each of commands) {
          const { outcome, thenRepeatedNothing } = given(...history).when(each);
          if (outcome.kind === 'refused') throw new Error('nothing about a description is refused');
          thenRepeatedNothing();
          history = [...history, ...outcome.events];
        }
        history.forEach(({ data }, index) => expect(data.version).toBe(index + 1));
      }),
    );
  });
});

describe('the command', () => {
  const body = { commandId: sent.commandId, ...said };

  it('is read, also where there is no officer', async () => {
    const { dataProtectionOfficer: _none, ...without } = body;
    expect(await readCommand(DescribeController, body)).toMatchObject(body);
    expect(await readCommand(DescribeController, without)).toMatchObject(without);
  });

  it.each([
    ['controllerId', { controllerId: 'Example Ltd' }],
    ['name', { name: ' ' }],
    ['postalAddress', { postalAddress: undefined }],
    ['email', { email: 'nowhere' }],
    ['dataProtectionOfficer.email', { dataProtectionOfficer: { role: 'Data protection officer' } }],
    ['authority', { authority: '' }],
    ['security', { security: '' }],
    ['effectiveFrom', { effectiveFrom: '2018-05-25' }],
  ])('is not read: %s (%#)', async (path, change) => {
    await expect(readCommand(DescribeController, { ...body, ...change })).rejects.toThrow(`${path} (`);
  });
});

describe('the register and the view of controllers', () => {
  const history = [
    described({ effectiveFrom: instant('2018-05-25T00:00:00Z') }),
    described({ version: 2, name: 'Example plc (fictional)', effectiveFrom: instant('2026-03-01T00:00:00Z') }),
  ];

  it.each([
    ['2018-05-24T23:59:59.999Z', []],
    ['2018-05-25T00:00:00Z', ['Example Ltd (fictional)']],
    ['2026-02-28T23:59:59.999Z', ['Example Ltd (fictional)']],
    ['2026-03-01T00:00:00Z', ['Example plc (fictional)']],
  ])('say who decided at %s: %j', (at, names) =>
    expect(controllersAsOf(registerOf(controllerRegister, ...history), instant(at)).map(({ name }) => name)).toEqual(
      names,
    ),
  );

  it('show every description with its time', () => {
    const { at } = logbook('controller-example');
    const events = history.map((event) => at('2026-02-01T00:00:00Z', event));
    expect(tablesOf(controllersProjection, events)['controllers']).toMatchObject([
      { version: 1, effective_to: '2026-03-01T00:00:00.000Z', officer_role: 'Data protection officer' },
      { version: 2, effective_from: '2026-03-01T00:00:00.000Z', effective_to: null },
    ]);
  });
});
