/** The people of the play. Fictional; kept in a file of their own so that a scan can look for them. */
export const PEOPLE = {
  asha: {
    'contact.name': 'Asha Fictional',
    'contact.email': 'asha@example.test',
    'contact.phone': '+44 20 7946 0101',
    corrected: '+44 20 7946 0199',
    'account.number': 'ACC-2047-ASHA',
    'ticket.text': 'Chart 12 does not open on my tablet since Tuesday.',
  },
  bram: {
    'contact.name': 'Bram Invented',
    'contact.email': 'bram@invented.example.test',
    'account.number': 'ACC-3301-BRAM',
    'ticket.text': 'The licence of my old boat still shows in the list.',
  },
  chioma: {
    'contact.name': 'Chioma Madeup',
    'contact.email': 'chioma@harbour.example.test',
    'contact.organisation': 'Harbour Example plc',
  },
} as const;
