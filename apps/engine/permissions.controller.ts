import { Controller, Get } from '@nestjs/common';
import { OpenTo } from '#access';
import type { Permission } from './permissions.js';

/** The permission matrix, for those who answer for it. */
export abstract class PermissionMatrix {
  abstract readonly permissions: readonly Permission[];
}

@Controller('v1/permissions')
export class PermissionsController {
  constructor(private readonly matrix: PermissionMatrix) {}

  @Get()
  @OpenTo('privacyOfficer', 'securityOfficer', 'auditor', 'operator')
  list(): { readonly permissions: readonly Permission[] } {
    return { permissions: this.matrix.permissions };
  }
}
