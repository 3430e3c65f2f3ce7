import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import { approvedPurpose, fresh, refuses, said } from './life.js';

/** C13: data that was given for one thing serves another only after somebody has thought about it (Art 8A). */
describe('a new purpose for old data', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  /** An assessment of a fresh purpose, as it would be sent. */
  const assessmentOf = async (from: string, more: object = {}): Promise<{ from: string; to: string }> => {
    const to = fresh('later-idea');
    await approvedPurpose(custos, to, { basis: 'legitimateInterests' });
    return {
      from,
      fromVersion: 1,
      to,
      toVersion: 1,
      verdict: 'compatible',
      ground: 'assessed',
      reasoning: 'Both are about the same request, and nobody is worse off.',
      ...more,
    } as { from: string; to: string };
  };

  it('is judged by two people and may be judged anew', async () => {
    const assessment = await assessmentOf('support-ticket');
    const { from, to } = assessment;
    await custos.accepted('dpo', 'AssessCompatibility', assessment);
    const approval = { from, to, assessment: 1 };
    await refuses(
      custos,
      'dpo',
      'ApproveCompatibility',
      approval,
      said('FOUR_EYES_REQUIRED', 'C12 C15 C16', 'UK GDPR Art 25', approval),
    );
    await custos.accepted('counsel', 'ApproveCompatibility', approval);
    const { position } = await custos.accepted('dpo', 'RevokeCompatibility', {
      ...approval,
      reasonCode: 'purposeChanged',
    });
    const { body } = await custos.get('auditor', `/v1/registers/compatibility?to_purpose=${to}`, position);
    expect(body.rows).toMatchObject([
      {
        from_purpose: 'support-ticket',
        status: 'revoked',
        verdict: 'compatible',
        ground: 'assessed',
        author: 'dpo',
        approver: 'counsel',
        reason_code: 'purposeChanged',
      },
    ]);
  });

  it('goes no further with data that rests on consent than Art 8A(4) allows', async () => {
    const assessment = await assessmentOf('product-news');
    const { from, to } = assessment;
    const barred = (ground: string, field: string) =>
      said('PURPOSE_INCOMPATIBLE', 'C13', 'UK GDPR Art 8A', { from, to, basis: 'consent', ground, field });
    await refuses(custos, 'dpo', 'AssessCompatibility', assessment, barred('assessed', 'ground'));
    const crime = { ...assessment, ground: 'crime' };
    await refuses(custos, 'dpo', 'AssessCompatibility', crime, barred('crime', 'consentNotReasonable'));
    const consentNotReasonable = 'Asking would warn those who are looked for.';
    await custos.accepted('dpo', 'AssessCompatibility', { ...crime, consentNotReasonable });
  });

  it('is judged about purposes that exist, by those who may', async () => {
    const assessment = await assessmentOf('never-defined');
    await refuses(
      custos,
      'dpo',
      'AssessCompatibility',
      assessment,
      said('PURPOSE_UNKNOWN', 'C01 C17', 'UK GDPR Art 5(1)(b)', { purposeId: 'never-defined', version: 1 }),
    );
    await refuses(
      custos,
      'support',
      'AssessCompatibility',
      assessment,
      said('FORBIDDEN', 'C08 C15', 'UK GDPR Art 32', { command: 'AssessCompatibility' }),
    );
  });
});
