import { accessCapability } from '#access';
import { assuranceCapability } from '#assurance';
import { accountabilityCapability } from '#accountability';
import { consentCapability } from '#consent';
import { incidentCapability } from '#incident';
import { noticeCapability } from '#notice';
import { purposeCapability } from '#purpose';
import { resilienceCapability } from '#resilience';
import { retentionCapability } from '#retention';
import { sharingCapability } from '#sharing';
import { refusalCapability, type Capability } from '#slice';
import { subjectCapability } from '#subject';
import { telemetryCapability } from '#telemetry';
import { useCapability } from '#use';
import { viewingCapability } from '#viewing';

/** What this product can do: a new capability is one folder and one line here. */
export const capabilities: readonly Capability[] = [
  refusalCapability,
  accessCapability,
  purposeCapability,
  assuranceCapability,
  noticeCapability,
  subjectCapability,
  consentCapability,
  useCapability,
  incidentCapability,
  resilienceCapability,
  sharingCapability,
  retentionCapability,
  accountabilityCapability,
  telemetryCapability,
  viewingCapability,
];
