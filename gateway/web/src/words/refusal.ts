/** Why a sign-in was refused, and what to do: title and sentence by the reason in the address. */

interface Facts {
  provider: string;
  wait?: string | null;
}

export function refusal(reason: string, { provider, wait }: Facts): [string, string] {
  switch (reason) {
    case 'forged':
      return ['This sign-in was not begun here.', 'Start again from this page, and finish it in the same browser.'];
    case 'expired':
      return ['The sign-in took too long.', 'Nothing is wrong with your account. Start again from this page.'];
    case 'not_a_member':
      return ['This account is not a member yet.', 'Your address has no invitation. Ask an admin of your workspace for one, then come back.'];
    case 'domain':
      return ['This address is not from here.', 'Only addresses of your company may sign in. Use the account you have at work.'];
    case 'unverified':
      return [`${provider} did not confirm your address.`, `Confirm it with ${provider} first. We accept confirmed addresses only.`];
    case 'provider_down':
      return [`${provider} does not answer.`, 'Try again in a minute. Campaigns go on sending.'];
    case 'limited':
      return ['Too many tries.', wait ? `Wait ${wait} s, then sign in again.` : 'Wait a minute, then sign in again.'];
    case 'refused':
      return ['The sign-in was refused.', `${provider} did not tell us who you are. Start again if you said no by mistake.`];
    case 'unavailable':
      return ['Maillane does not answer.', 'Try again in a minute. Campaigns go on sending.'];
    default:
      return ['The sign-in did not work.', 'Start again from this page.'];
  }
}
