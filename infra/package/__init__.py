"""From the code to what CloudFormation deploys: one zip and one plain template (`make package`)."""
