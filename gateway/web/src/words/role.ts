import type { Role } from '../api/types';

/** What a role is called, and what it may. */
export function roleWords(role: Role): readonly [string, string] {
  switch (role) {
    case 'ROLE_ADMIN':
      return ['Admin', 'Everything, members and tokens too'];
    case 'ROLE_EDITOR':
      return ['Editor', 'Create, start and pause campaigns'];
    default:
      return ['Viewer', 'Read everything but secrets'];
  }
}

export const ROLES: readonly Role[] = ['ROLE_VIEWER', 'ROLE_EDITOR', 'ROLE_ADMIN'];
