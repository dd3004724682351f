/** The question in the languages of the Connect page: title, text, yes, no. `{}` stands for the provider. */
export const questionWords: Readonly<Record<string, readonly [string, string, string, string]>> = {
  en: [
    'Connect this {} account?',
    'This connection was not started in this window. Continue only if you started it and signed in at {} yourself. If somebody sent you here, cancel: you would connect that person’s account.',
    'Yes, it is mine',
    'Cancel',
  ],
  de: [
    'Dieses Konto bei {} verbinden?',
    'Diese Verbindung wurde nicht in diesem Fenster begonnen. Fahren Sie nur fort, wenn Sie sie begonnen und sich selbst bei {} angemeldet haben. Hat jemand Sie hierher geschickt, brechen Sie ab: Sie würden das Konto dieser Person verbinden.',
    'Ja, es ist meines',
    'Abbrechen',
  ],
  fr: [
    'Connecter ce compte {} ?',
    'Cette connexion n’a pas été commencée dans cette fenêtre. Ne continuez que si vous l’avez commencée et si vous vous êtes identifié vous-même chez {}. Si quelqu’un vous a envoyé ici, annulez : vous connecteriez le compte de cette personne.',
    'Oui, c’est le mien',
    'Annuler',
  ],
  es: [
    '¿Conectar esta cuenta de {}?',
    'Esta conexión no se inició en esta ventana. Continúe solo si la inició usted y entró usted mismo en {}. Si alguien le envió aquí, cancele: conectaría la cuenta de esa persona.',
    'Sí, es mía',
    'Cancelar',
  ],
  ja: [
    'この {} アカウントを接続しますか？',
    'この接続は、このウィンドウで始めたものではありません。ご自身で接続を始め、{} にサインインした場合にだけ続けてください。誰かに案内されてここに来た場合は、キャンセルしてください。その人のアカウントが接続されてしまいます。',
    'はい、自分のものです',
    'キャンセル',
  ],
  ar: [
    'هل تريد ربط حساب {} هذا؟',
    'لم يبدأ هذا الربط في هذه النافذة. تابع فقط إذا كنت قد بدأته وسجّلت الدخول إلى {} بنفسك. إذا أرسلك شخص ما إلى هنا فألغِ، وإلا فستربط حساب ذلك الشخص.',
    'نعم، إنه حسابي',
    'إلغاء',
  ],
}
