// gradio's upload takes only what the browser calls audio/*, and browsers call sound from a telephone or a microphone
// video/webm, video/mp4, or nothing at all. So every file goes to the server, which says what it cannot read.
{
  const input = (target) => target.closest?.(".own-clip")?.querySelector("input[type=file]");
  const asSound = (files) => {
    const renamed = new DataTransfer();
    for (const file of files) {
      const known = file.type.startsWith("audio/");
      renamed.items.add(known ? file : new File([file], file.name, { type: "audio/unknown" }));
    }
    return renamed.files;
  };
  const capture = (kind, act) => document.addEventListener(kind, act, true);
  capture("click", ({ target }) => {
    if (input(target)) input(target).accept = "audio/*,video/*,.amr,.3gp,.aac,.opus,.m4a,.webm"; // before the dialogue opens
  });
  capture("change", ({ target }) => {
    if (target.type === "file" && input(target) === target) target.files = asSound(target.files);
  });
  capture("drop", (event) => {
    const upload = input(event.target);
    if (!upload || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    event.stopPropagation();
    upload.files = event.dataTransfer.files;
    upload.dispatchEvent(new Event("change"));
  });
}
